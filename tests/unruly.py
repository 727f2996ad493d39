"""An engine that does all that a provider may do, by scripts that are values.

Every piece of content names the run of the engine that it is from and its place in it, such as `<a/2:0>`: what is
mixed, repeated or lost shows.
"""

import asyncio
import re
from collections.abc import Mapping, Sized
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, Literal

from sidecar.handler import Call, Completion, Emit, tell
from sidecar.schema.chat import Custom, FinishReason, Opaque, Part, Reason, Warning
from sidecar.schema.errors import ErrorType, SidecarError
from sidecar.schema.events import (
    PartDelta,
    ReasoningDelta,
    State,
    Status,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    UsageDelta,
)
from sidecar.schema.usage import Attempt, Cost

MARK: Final = re.compile(r"<\w+/\d+:\d+>")


class Brief:
    """Shows of a value only what is not as usual."""

    def __repr__(self) -> str:
        usual: Any = type(self)
        shown = {
            one.name: value
            for one in fields(usual)
            if (value := getattr(self, one.name)) != one.default and (value or one.default is not MISSING)
        }
        return f"{usual.__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


@dataclass(frozen=True)
class Sent:
    """The question has left."""


@dataclass(frozen=True)
class Show:
    state: State


@dataclass(frozen=True)
class Warn:
    message: str = "Left out."


@dataclass(frozen=True)
class Count:
    input: int | None = None
    output: int | None = None


@dataclass(frozen=True)
class Say:
    kind: Literal["text", "reasoning", "tool_call", "part", "json", "half of json"] = "text"


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Hang:
    """Nothing more comes."""


@dataclass(frozen=True)
class Charge:
    amount: str


@dataclass(frozen=True)
class Hear:
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, repr=False)
class Fail(Brief):
    type: ErrorType
    retry_after_ms: int | None = None
    http_status: int | None = None
    retryable: bool | None = None
    repair: str | None = None


@dataclass(frozen=True)
class Defect:
    """What no engine should do."""


@dataclass(frozen=True)
class Finish:
    reason: Reason = "stop"


Step = Sent | Show | Warn | Count | Say | Pause | Hang | Charge | Hear | Fail | Defect | Finish
Script = tuple[Step, ...]
"""What one run does. A script without an end is a connection that was cut."""

PLAIN: Final[Script] = (Sent(), Say(), Finish())


@dataclass
class Run:
    """One time that the engine was asked. `said` are the marks of its content, by their part's index.

    `place` is that of its attempt among those of the call, `known` how many entries the ledger had by then.
    """

    name: str
    call: Call
    target: str
    started: float
    place: int
    known: int
    sent: bool = False
    counted: UsageDelta | None = None
    charged: str | None = None
    ended: float | None = None
    complete: bool = False
    defect: bool = False
    said: dict[int, list[str]] = field(default_factory=dict)
    places: int = 0

    @property
    def attempt(self) -> Attempt:
        """Return what is recorded of it."""
        return self.call.attempts[self.place]

    def mark(self, index: int) -> str:
        mark = f"<{self.name}:{self.places}>"
        self.places += 1
        self.said.setdefault(index, []).append(mark)
        return mark


class UnrulyEngine:
    """Plays for each target its scripts in turn; the last one stays. `entries` are the ledger's."""

    def __init__(self, scripts: Mapping[str, tuple[Script, ...]], entries: Sized) -> None:
        self.runs: list[Run] = []
        self._scripts = scripts
        self._entries = entries

    async def chat(self, call: Call, emit: Emit) -> Completion:
        loop = asyncio.get_running_loop()
        target = call.target.id
        earlier = sum(run.target == target for run in self.runs)
        run = Run(f"{target}/{earlier + 1}", call, target, loop.time(), len(call.attempts), len(self._entries))
        self.runs.append(run)
        scripts = self._scripts.get(target, (PLAIN,))
        try:
            await tell(emit, Status(state="connecting"))
            for step in scripts[min(earlier, len(scripts) - 1)]:
                await _play(step, run, emit)
            if call.transcript.finish is None:
                raise SidecarError("stream_interrupted")
            run.complete = True
            call.cost = None if run.charged is None else Cost(amount=run.charged, source="provider")
            return call.completion()
        finally:
            run.ended = loop.time()


async def _play(step: Step, run: Run, emit: Emit) -> None:  # noqa: C901 - one row a step
    call = run.call
    match step:
        case Sent():
            call.sent = run.sent = True
            await tell(emit, Status(state="waiting_first_token"))
        case Show(state):
            await tell(emit, Status(state=state))
        case Warn(message):
            await _tell(Warning("unsupported_parameter", message), call, emit)
        case Count(input_tokens, output_tokens):
            run.counted = UsageDelta(input_tokens=input_tokens, output_tokens=output_tokens)
            await _tell(run.counted, call, emit)
        case Say(kind):
            await _tell(_content(kind, run), call, emit)
        case Pause(seconds):
            await asyncio.sleep(seconds)
        case Hang():
            await asyncio.Event().wait()
        case Charge(amount):
            run.charged = amount
        case Hear(headers):
            call.heard(dict(headers))
        case Finish(reason):
            await _tell(FinishReason(reason), call, emit)
        case Defect():
            run.defect = True
            raise RuntimeError("a defect, as the script asks")
        case Fail():
            call.repair = None if call.transcript.started else step.repair
            details = {"retry_after_ms": step.retry_after_ms, "http_status": step.http_status}
            details |= {"retryable": step.retryable}
            raise SidecarError(step.type, **{name: value for name, value in details.items() if value is not None})


async def _tell(event: StreamEvent, call: Call, emit: Emit) -> None:
    call.transcript.add(event)
    await tell(emit, event)


def _content(kind: str, run: Run) -> StreamEvent:
    match kind:
        case "reasoning":
            return ReasoningDelta(1, run.mark(1))
        case "tool_call":
            first = 2 not in run.said
            return ToolCallDelta(2, "call_1" if first else None, "tool" if first else None, run.mark(2))
        case "part":
            index = max(2, *run.said, 2) + 1
            return PartDelta(index, Custom(Opaque(run.mark(index), run.call.target.origin)))
        case "json":
            return TextDelta(0, f'{{"said": "{run.mark(0)}"}}')
        case "half of json":
            return TextDelta(0, f'{{"said": "{run.mark(0)}"')
        case _:
            return TextDelta(0, run.mark(0))


def marks(part: Part) -> list[str]:
    """Return the marks in a part of a message."""
    words = part.opaque.data if isinstance(part, Custom) else getattr(part, "arguments", getattr(part, "text", ""))
    return MARK.findall(words)

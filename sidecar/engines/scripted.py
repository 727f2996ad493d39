"""An engine that plays a script, so that hosts and clients can be tested without a model."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from sidecar.handler import Call, Completion, Embedded, Emit, Target, tell
from sidecar.schema.chat import FinishReason, Part, Reason, Warning
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import ErrorType, SidecarError
from sidecar.schema.events import (
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    State,
    Status,
    TextDelta,
    ToolCallDelta,
    UsageDelta,
)
from sidecar.schema.loading import LoadedModel, UnloadedModel
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import TestStage
from sidecar.schema.usage import Cost, Usage

MAX_REPEAT: Final = 1_000_000
REPEATS_PER_TURN: Final = 500
MODEL: Final = "script-1"
CONTEXT: Final = 4096
GREETING: Final = "Hello from the script."


class Say(Struct, tag="text", tag_field="do"):
    """Emit a text delta, `repeat` times."""

    text: str
    index: int = 0
    repeat: int = 1


class Think(Struct, tag="reasoning", tag_field="do"):
    """Emit a reasoning delta."""

    text: str
    index: int = 0


class Refuse(Struct, tag="refusal", tag_field="do"):
    """Emit a refusal delta."""

    text: str
    index: int = 0


class CallTool(Struct, tag="tool_call", tag_field="do"):
    """Emit a tool call delta."""

    index: int = 0
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class Show(Struct, tag="part", tag_field="do"):
    """Emit a whole part."""

    part: Part
    index: int = 0


class Count(Struct, tag="usage", tag_field="do"):
    """Emit token counts."""

    usage: Usage


class Report(Struct, tag="status", tag_field="do"):
    """Emit a status."""

    state: State
    progress: float | None = None


class Warn(Struct, tag="warning", tag_field="do"):
    """Emit a warning."""

    type: str
    message: str


class Finish(Struct, tag="finish", tag_field="do"):
    """End the answer."""

    reason: Reason = "stop"
    raw: str | None = None


class Fail(Struct, tag="error", tag_field="do"):
    """Fail with an error of the table, as a provider's 429 or a lost connection would."""

    type: ErrorType
    message: str = ""
    retry_after_ms: int | None = None
    http_status: int | None = None
    attempts: int | None = None
    """Only the first so many attempts fail."""


class Charge(Struct, tag="cost", tag_field="do"):
    """Say what the answer costs, as some providers do."""

    amount: str


class Hear(Struct, tag="headers", tag_field="do"):
    """Answer with headers, names in lower case."""

    headers: dict[str, str]


class Break(Struct, tag="defect", tag_field="do"):
    """Fail as a defect of the sidecar would."""


class Hang(Struct, tag="hang", tag_field="do"):
    """Do nothing until cancelled or timed out."""


class Pause(Struct, tag="pause", tag_field="do"):
    """Wait for some milliseconds."""

    ms: int


Event = Think | Refuse | CallTool | Show | Count | Report | Warn | Finish
Step = Event | Say | Fail | Charge | Hear | Break | Hang | Pause

DELTAS: Final = {Think: ReasoningDelta, Refuse: RefusalDelta}


class Script(Struct):
    """What `provider_options.scripted` says. A script that does not finish ends like a connection that was cut."""

    steps: list[Step]


class ScriptedEngine:
    """Plays `provider_options.<provider>.steps`, or greets."""

    def __init__(self) -> None:
        self._loaded: set[str] = set()

    async def chat(self, call: Call, emit: Emit) -> Completion:
        call.sent = True
        for step in _script(call).steps:
            await _play(step, call, emit)
        if call.transcript.finish is None:
            raise SidecarError("stream_interrupted")
        return call.completion()

    async def models(self, target: Target) -> list[ModelInfo]:
        return [ModelInfo(id=MODEL, provider=target.id, context_length=CONTEXT)]

    async def load(self, target: Target, context_size: int | None, report: Callable[[Status], None]) -> LoadedModel:
        """Tell of the load, and be done."""
        report(Status(state="loading_model", progress=0.5))
        await asyncio.sleep(0)
        self._loaded.add(target.model)
        return LoadedModel(
            provider=target.id,
            model=target.model,
            runtime="scripted",
            context_size=context_size or CONTEXT,
            parallel=1,
            memory_bytes=0,
            load_ms=0,
        )

    async def unload(self, target: Target, answers: object) -> UnloadedModel:
        """Forget that the model was loaded."""
        del answers
        held = self._loaded & {target.model}
        self._loaded -= held
        return UnloadedModel(len(held))

    async def embed(self, target: Target, request: EmbeddingRequest) -> Embedded:
        """Return for each text its length and its number of words."""
        del target
        vectors = [[float(len(text)), float(len(text.split()))] for text in request.input]
        return Embedded(vectors, None, None)

    async def count_tokens(self, call: Call) -> int | None:
        """Leave it to an estimate."""
        del call
        return None

    async def check(self, target: Target) -> list[TestStage]:
        known = target.model in {MODEL, ""}
        error = None if known else SidecarError("model_not_found").to_object()
        return [TestStage("config", ok=True, ms=0), TestStage("model", ok=known, ms=0, error=error)]

    async def close(self) -> None:
        """Hold nothing."""


def _script(call: Call) -> Script:
    options: Any = call.request.provider_options.get(call.target.provider.id)
    if options is None:
        return Script([Say(GREETING), Finish()])
    try:
        return msgspec.convert(options, Script)
    except msgspec.ValidationError as error:
        raise SidecarError("invalid_params", f"The script cannot be played: {error}.") from None


async def _play(step: Step, call: Call, emit: Emit) -> None:
    match step:
        case Pause(ms):
            await asyncio.sleep(ms / 1000)
        case Hang():
            await asyncio.Event().wait()
        case Charge() | Hear():
            _tell(step, call)
        case Break():
            raise RuntimeError("a defect, as the script asks")
        case Fail(attempts=attempts) if attempts is not None and len(call.attempts) >= attempts:
            return
        case Fail(type_, message, retry_after_ms, http_status):
            raise SidecarError(type_, message, retry_after_ms=retry_after_ms, http_status=http_status)
        case Say(repeat=repeat):
            for number in range(min(repeat, MAX_REPEAT)):
                await _emit(TextDelta(step.index, step.text), call, emit)
                if number % REPEATS_PER_TURN == 0:
                    await asyncio.sleep(0)
        case _:
            await _emit(_event(step), call, emit)


def _tell(step: Charge | Hear, call: Call) -> None:
    if isinstance(step, Charge):
        call.cost = Cost(amount=step.amount, source="provider")
    else:
        call.heard(step.headers)


def _event(step: Event) -> Any:  # noqa: PLR0911 - one row a step
    match step:
        case Think() | Refuse():
            return DELTAS[type(step)](step.index, step.text)
        case CallTool():
            return ToolCallDelta(step.index, step.id, step.name, step.arguments)
        case Show():
            return PartDelta(step.index, step.part)
        case Count():
            return UsageDelta(**msgspec.structs.asdict(step.usage))
        case Report():
            return Status(state=step.state, progress=step.progress)
        case Warn():
            return Warning(step.type, step.message)
        case Finish():
            return FinishReason(step.reason, step.raw)


async def _emit(event: Any, call: Call, emit: Emit) -> None:
    call.transcript.add(event)
    await tell(emit, event)

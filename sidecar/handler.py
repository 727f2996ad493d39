"""The types that carry a request: a call is aimed at a target; middleware surrounds the engine that performs it."""

from collections.abc import Awaitable, Callable, Iterable
from functools import reduce
from typing import Protocol

from msgspec import Struct, field

from sidecar.providers.record import Provider
from sidecar.schema.chat import ChatRequest, FinishReason, Message, Origin, StructuredOutput, Warning
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.events import Status, StreamEvent
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import BaseConfig, TestStage
from sidecar.schema.secret import Secret
from sidecar.schema.usage import Attempt, Cost, Usage
from sidecar.transcript import Transcript

Emit = Callable[[StreamEvent], Awaitable[None]]


class Target(Struct, frozen=True, kw_only=True):
    """Where a call goes, resolved once. `endpoint` is the base URL, or the model file of a local provider."""

    id: str
    provider: Provider
    config: BaseConfig
    endpoint: str
    model: str
    key: Secret | None = None
    lacks: frozenset[str] = frozenset()
    """Fields of requests that the model was found not to take."""

    @property
    def origin(self) -> Origin:
        """What marks messages and opaque data from here."""
        return Origin(self.id, self.endpoint, self.model)


class Completion(Struct, frozen=True, kw_only=True):
    """A whole answer."""

    message: Message
    finish_reason: FinishReason
    usage: Usage
    cost: Cost


class Call(Struct, kw_only=True):
    """What middleware hands on.

    `transcript` collects the answer as it is emitted, so that it is there in part when the call fails or is cancelled.
    `report` takes a status from where nothing can be awaited. `structured` is the way by which JSON was asked for,
    `repair` what the request should do without after it failed, if that may help.
    """

    request: ChatRequest
    target: Target
    report: Callable[[Status], None]
    transcript: Transcript = field(default_factory=Transcript)
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    cost: Cost | None = None
    structured: StructuredOutput | None = None
    repair: str | None = None

    def completion(self) -> Completion:
        """Return the whole answer; the transcript has its finish reason by now."""
        transcript = self.transcript
        assert transcript.finish is not None
        return Completion(
            message=transcript.message(self.target.origin),
            finish_reason=transcript.finish,
            usage=transcript.settled_usage(self.request.messages),
            cost=self.cost or Cost(amount=None),
        )


class ChatHandler(Protocol):
    """Emits events while the answer arrives, then returns the whole of it."""

    async def __call__(self, call: Call, emit: Emit) -> Completion: ...


Middleware = Callable[[ChatHandler], ChatHandler]


def stack(middleware: Iterable[Middleware], handler: ChatHandler) -> ChatHandler:
    """Wrap `handler` in `middleware`, the first one outermost."""
    return reduce(lambda inner, wrap: wrap(inner), reversed(list(middleware)), handler)


class Embedded(Struct, frozen=True):
    """Vectors in the order of their texts."""

    vectors: list[list[float]]
    usage: Usage | None
    cost: Cost | None
    warnings: tuple[Warning, ...] = ()


class Engine(Protocol):
    """The only code that talks to a model.

    `chat` adds each event to `call.transcript` and emits it. `embed` raises `unsupported_feature` where there are no
    vectors, `count_tokens` returns `None` where nobody counts for nothing. `check` yields the stages of a connection
    test that costs nothing, up to the first that fails. `close` frees what the engine holds.
    """

    async def chat(self, call: Call, emit: Emit) -> Completion: ...
    async def models(self, target: Target) -> list[ModelInfo]: ...
    async def embed(self, target: Target, request: EmbeddingRequest) -> Embedded: ...
    async def count_tokens(self, call: Call) -> int | None: ...
    async def check(self, target: Target) -> list[TestStage]: ...
    async def close(self) -> None: ...

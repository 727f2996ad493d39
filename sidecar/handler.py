"""The types that carry a request: a call is aimed at a target; middleware surrounds the engine that performs it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import reduce
from typing import Protocol

from msgspec import Struct, field

from sidecar.providers.record import Provider
from sidecar.schema.chat import ChatRequest, FinishReason, Message, Origin, StructuredOutput, Warning
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import ErrorType
from sidecar.schema.events import Status, StreamEvent
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import BaseConfig, TestStage
from sidecar.schema.secret import Secret
from sidecar.schema.usage import Attempt, Cost, Usage
from sidecar.transcript import Transcript

Emit = Callable[[StreamEvent], Awaitable[None] | None]
"""Takes an event. What it returns is awaited before the next one: whoever receives them does not keep up."""


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
    local_only: bool = False
    """Whether what is sent may not leave this machine."""

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


class Phases(Struct, frozen=True, kw_only=True):
    """What the time of a local answer was spent on, in milliseconds."""

    load_ms: int
    prompt_ms: int | None = None
    generation_ms: int | None = None


class Candidate(Struct, frozen=True, kw_only=True):
    """Where a call may go, as things stood when it arrived. `resolve` completes `target`, or raises what it lacks."""

    target: Target
    on: frozenset[ErrorType] = frozenset()
    """The types of error after which; empty for the usual ones."""
    resolve: Callable[[], Awaitable[Target]]


def unheard(headers: Mapping[str, str]) -> None:
    """Take no notice of what an answer's headers tell."""
    del headers


class Call(Struct, kw_only=True):
    """What middleware hands on.

    `transcript` collects the answer as it is emitted, so that it is there in part when the call fails or is cancelled.
    `report` takes a status from where nothing can be awaited. `structured` is the way by which JSON was asked for,
    `repair` what the request should do without after it failed, if that may help. `warnings` are those of the
    middleware; the transcript has those of the answer.
    """

    request: ChatRequest
    target: Target
    report: Callable[[Status], None]
    transcript: Transcript = field(default_factory=Transcript)
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    cost: Cost | None = None
    structured: StructuredOutput | None = None
    repair: str | None = None
    first: Candidate | None = None
    """Whom to ask first, where there are others; the target is not complete before it is resolved."""
    others: tuple[Candidate, ...] = ()
    """Whom to ask instead, in this order, of those that have not been asked yet."""
    warnings: list[Warning] = field(default_factory=list[Warning])
    cached: bool = False
    """Whether the response cache answered."""
    phases: Phases | None = None
    """Where the engine tells: of the present attempt."""
    sent: bool = False
    """Whether the target has the question, so that it may cost something. Of the present attempt."""
    heard: Callable[[Mapping[str, str]], None] = unheard
    """Takes the headers of an answer or a refusal, names in lower case, before its body."""

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


async def tell(emit: Emit, event: StreamEvent) -> None:
    """Emit an event, and wait as long as that takes. Where events are many, this is written out."""
    if (room := emit(event)) is not None:
        await room


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

"""What a dialect is given, what it returns, and what it must do."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from msgspec import Struct

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.shaping import AS_IT_COMES, Shaping
from sidecar.dialects.traits import UNKNOWN, ModelTraits
from sidecar.framing.frame import Frame, Framer
from sidecar.schema.chat import ChatRequest, Origin, Warning
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent
from sidecar.schema.models import ModelInfo
from sidecar.schema.usage import Usage


class Aim(Struct, frozen=True, kw_only=True):
    """As much of a target as a dialect may know. `provider` is the instance's id, `kind` the id of its provider.

    `lacks` names fields of requests that the model was found not to take; `opaque` among them stands for all data of
    its own that a conversation holds. `additions` are members of the body that the configuration asks for.
    """

    provider: str
    kind: str
    model: str
    origin: Origin
    quirks: ChatQuirks
    traits: ModelTraits = UNKNOWN
    lacks: frozenset[str] = frozenset()
    additions: dict[str, Any] = {}


class HttpRequest(Struct, frozen=True):
    """A request to be posted. `path` is relative to the base URL; `warnings` tell what was left out or changed.

    `headers` are needed beside the provider's own. `shaping` is what remains to be done to the answer.
    """

    path: str
    body: bytes
    warnings: tuple[Warning, ...] = ()
    headers: dict[str, str] = {}
    shaping: Shaping = AS_IT_COMES


class HttpResponse(Struct, frozen=True):
    """A response read to its end (or to a bound). Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Answer(Struct, frozen=True):
    """A whole answer as events. `cost` is its price in US dollars as a decimal string, where the provider told it."""

    events: tuple[StreamEvent, ...]
    cost: str | None = None


class ModelPage(Struct, frozen=True):
    """Some models, and the path of the next page, where there are more."""

    models: list[ModelInfo]
    next_path: str | None = None


class Vectors(Struct, frozen=True):
    """One vector per text, in the order of the texts."""

    vectors: list[list[float]]
    usage: Usage | None = None
    cost: str | None = None


class StreamDecoder(Protocol):
    """Reads one streamed answer; never reused.

    A part is announced by deltas; a `PartDelta` follows once they are complete, where the part has more than words.
    `feed` raises `SidecarError` for an error inside the stream, at the latest when its events have been read. `settled`
    turns true when only token counts may follow, so that the reader need not wait long for the rest; `finished` when
    nothing more is to come. `cost` is the price in US dollars as a decimal string, where the provider told it. `close`
    raises `SidecarError("stream_interrupted")` when the answer is unfinished, and returns the last events otherwise.

    `follow_up` returns the request that fetches the rest of an answer that comes in several, once `close` was called;
    the same decoder then reads on.
    """

    finished: bool
    settled: bool
    cost: str | None

    def feed(self, frame: Frame) -> Iterable[StreamEvent]: ...
    def close(self) -> Iterable[StreamEvent]: ...
    def follow_up(self, request: HttpRequest) -> HttpRequest | None: ...


def uncounted(request: ChatRequest, aim: Aim) -> HttpRequest | None:
    """Return nothing: nobody counts tokens for nothing."""
    del request, aim
    return None


def unasked(body: bytes) -> int:
    """Refuse to read a count that nobody asked for."""
    del body
    raise SidecarError("malformed_response", "Nobody asked for a count.")


class Dialect(Struct, frozen=True, kw_only=True):
    """One wire format: the functions that translate to and from it.

    `encode_request` raises `SidecarError("unsupported_feature")` for what the format cannot carry, and, under
    `on_unsupported: "error"`, instead of warning. `decode_answer` reads a whole JSON answer, also where a stream was
    asked for. `decode_error` is total: it never raises. `repair` names what a refused request should do without: a
    field of `ChatRequest` or an option inside one, or `opaque`; `None` where nothing helps.

    `encode_count` returns a request that counts the tokens of a question free of charge, or `None` where there is no
    such thing. `encode_embeddings` raises `unsupported_feature` where there are no vectors.

    `framer` returns what cuts a stream. `models_path` is relative to the base URL. `model_prefix` may stand before a
    model's name, and does not in a list. `absent_hint` is what may help where nothing is found at the format's path.
    """

    models_path: str
    framer: Callable[[], Framer]
    encode_request: Callable[[ChatRequest, Aim], HttpRequest]
    decode_stream: Callable[[Aim], StreamDecoder]
    decode_answer: Callable[[bytes, Aim], Answer]
    decode_error: Callable[[HttpResponse], SidecarError]
    repair: Callable[[SidecarError], str | None]
    decode_models: Callable[[bytes, str], ModelPage]
    encode_embeddings: Callable[[EmbeddingRequest, Aim], HttpRequest]
    decode_embeddings: Callable[[bytes], Vectors]
    encode_count: Callable[[ChatRequest, Aim], HttpRequest | None] = uncounted
    decode_count: Callable[[bytes], int] = unasked
    model_prefix: str = ""
    absent_hint: str | None = None

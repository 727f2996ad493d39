"""What a dialect is given, what it returns, and what it must do."""

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from sidecar.dialects.quirks import ChatQuirks
from sidecar.framing.frame import Frame
from sidecar.schema.chat import ChatRequest, Origin, Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent
from sidecar.schema.models import ModelInfo


class Aim(Struct, frozen=True, kw_only=True):
    """As much of a target as a dialect may know. `provider` is the instance's id, `kind` the id of its provider."""

    provider: str
    kind: str
    model: str
    origin: Origin
    quirks: ChatQuirks


class HttpRequest(Struct, frozen=True):
    """A request to be posted. `path` is relative to the base URL; `warnings` tell what was left out or changed."""

    path: str
    body: bytes
    warnings: tuple[Warning, ...] = ()


class HttpResponse(Struct, frozen=True):
    """A response read to its end (or to a bound). Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Answer(Struct, frozen=True):
    """A whole answer as events. `cost` is its price in US dollars as a decimal string, where the provider told it."""

    events: tuple[StreamEvent, ...]
    cost: str | None = None


class StreamDecoder(Protocol):
    """Reads one streamed answer; never reused.

    `feed` raises `SidecarError` for an error inside the stream, at the latest when its events have been read. `settled`
    turns true when only token counts may follow, so that the reader need not wait long for the rest; `finished` when
    nothing more is to come. `cost` is the price in US dollars as a decimal string, where the provider told it. `close`
    raises `SidecarError("stream_interrupted")` when the answer is unfinished, and returns the last events otherwise.
    """

    finished: bool
    settled: bool
    cost: str | None

    def feed(self, frame: Frame) -> Iterable[StreamEvent]: ...
    def close(self) -> Iterable[StreamEvent]: ...


class ChatDialect(Protocol):
    """Translates to and from one wire format.

    `encode_request` raises `SidecarError("unsupported_feature")` for what the format cannot carry, and, under
    `on_unsupported: "error"`, instead of warning. `decode_answer` reads a whole JSON answer, also where a stream was
    asked for. `decode_error` is total: it never raises.
    """

    models_path: str

    def encode_request(self, request: ChatRequest, aim: Aim) -> HttpRequest: ...
    def decode_stream(self, aim: Aim) -> StreamDecoder: ...
    def decode_answer(self, body: bytes, aim: Aim) -> Answer: ...
    def decode_error(self, response: HttpResponse) -> SidecarError: ...
    def decode_models(self, body: bytes, provider: str) -> list[ModelInfo]: ...

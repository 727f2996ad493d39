"""Answers read: events in, events out. https://platform.claude.com/docs/en/build-with-claude/streaming"""

from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, Final

from msgspec import Raw

from sidecar.dialects import errors, lenient
from sidecar.dialects.anthropic_messages.assembly import Assembly
from sidecar.dialects.anthropic_messages.blocks import Growing
from sidecar.dialects.anthropic_messages.reading import read
from sidecar.dialects.anthropic_messages.wire import (
    EVENT,
    BlockStart,
    Delta,
    Ending,
    Event,
    Failure,
    Message,
    MessageDelta,
    MessageStart,
    RareEvent,
)
from sidecar.dialects.contract import Aim, Answer, HttpRequest
from sidecar.framing.frame import Frame
from sidecar.framing.sse import BOM, DONE
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent

DELTA: Final = "content_block_delta"
NO_DELTA: Final = Delta()
DECODE: Final = EVENT.decode

Events = Iterable[StreamEvent]


class Decoder:
    """Reads one answer."""

    __slots__ = ("_answer", "_blocks", "cost", "finished", "settled")

    def __init__(self, aim: Aim) -> None:
        self.finished = False
        self.settled = False
        self.cost: str | None = None
        self._answer = Assembly(aim.origin)
        self._blocks = self._answer.blocks

    def feed(self, frame: Frame) -> Events:
        """Return what a frame adds; raise the error that it carries."""
        if self.finished:
            return []
        try:
            event = DECODE(frame.data)
        except lenient.UNREADABLE:
            return self._salvage(frame)
        if event.type == DELTA:
            delta, block = event.delta, self._blocks.get(event.index)
            if delta is not None and block is not None:
                return block.add(delta) or _add_rare(block, frame.data)
        return self._handle(event, frame)

    def close(self) -> Events:
        """Return the last events of a stream that ended without saying so."""
        if self.finished:
            return []
        if not self.settled:
            raise SidecarError("stream_interrupted", "The answer broke off.")
        return self._end()

    def follow_up(self, request: HttpRequest) -> HttpRequest | None:
        """Return nothing: an answer comes as a whole."""
        del request
        return None

    def answer(self, body: bytes) -> Iterator[StreamEvent]:
        """Return all events of a whole answer."""
        body = body.removeprefix(BOM).strip()
        if not body.startswith(b"{"):
            raise SidecarError("malformed_response", "The provider's answer is not JSON.")
        message = read(body, Message)
        if message.content is None:
            unknown = SidecarError("malformed_response", "The provider's answer holds no message.")
            raise errors.error_in(body) or unknown
        for number, raw in enumerate(message.content):
            yield from self._answer.begin(number, raw)
            yield from self._answer.complete(number)
        yield from self._answer.settle(message, message.usage)
        yield from self._end()

    def _end(self) -> Events:
        events = self._answer.end()
        self.finished = self.settled = True
        return events

    def _salvage(self, frame: Frame) -> Events:
        """Read what is no event as it should be, as far as it goes."""
        data = frame.data.strip()
        if not data or data.startswith(DONE) or DONE.startswith(data):
            return []
        if not data.startswith(b"{"):
            raise SidecarError("malformed_response", "The provider sent an event that is not JSON.")
        try:
            return self._handle(lenient.read(data, Event), Frame(data, frame.event))
        except SidecarError as error:
            # The connection was cut in a frame that follows the answer.
            if self.settled and error.type == "stream_interrupted":
                return []
            raise

    def _handle(self, event: Event, frame: Frame) -> Events:
        kind = "error" if frame.event == "error" else event.type
        if kind is None:
            error = errors.error_in(frame.data)
            if error is not None:
                raise error
        handler = self._HANDLERS.get(kind or "")
        return [] if handler is None else handler(self, event, frame.data)

    def _on_start(self, event: Event, data: bytes) -> Events:
        del event
        message = read(data, MessageStart).message
        return [] if message is None or message.usage is None else self._answer.ask(message.usage)

    def _on_block(self, event: Event, data: bytes) -> Events:
        raw = read(data, BlockStart).content_block
        return self._answer.begin(event.index, raw) if bytes(raw)[:1] == b"{" else []

    def _on_delta(self, event: Event, data: bytes) -> Events:
        """Take in what could only be read in part, or belongs to a block that was never begun."""
        delta = event.delta or NO_DELTA
        events: list[StreamEvent] = []
        if event.index not in self._blocks:
            kind = b"thinking" if delta.thinking or delta.signature else b"text"
            events = self._answer.begin(event.index, Raw(b'{"type":"%s"}' % kind))
        block = self._blocks[event.index]
        return [*events, *(block.add(delta) or _add_rare(block, data))]

    def _on_block_end(self, event: Event, data: bytes) -> Events:
        del data
        return self._answer.complete(event.index)

    def _on_ending(self, event: Event, data: bytes) -> Events:
        del event
        wire = read(data, MessageDelta)
        events = self._answer.settle(wire.delta or Ending(), wire.usage)
        self.settled = self._answer.settled
        return events

    def _on_stop(self, event: Event, data: bytes) -> Events:
        del event, data
        return self._end()

    def _on_whole(self, event: Event, data: bytes) -> Events:
        """Read a whole answer that was sent in place of a stream."""
        del event
        return self.answer(data)

    def _on_error(self, event: Event, data: bytes) -> Events:
        del event
        error = errors.error_in(data) or SidecarError("server_error")
        request_id = read(data, Failure).request_id
        error.details |= {"provider_request_id": request_id} if request_id else {}
        raise error

    _HANDLERS: ClassVar[dict[str, Callable[["Decoder", Event, bytes], Events]]] = {
        "message_start": _on_start,
        "content_block_start": _on_block,
        DELTA: _on_delta,
        "content_block_stop": _on_block_end,
        "message_delta": _on_ending,
        "message_stop": _on_stop,
        "message": _on_whole,
        "error": _on_error,
    }


def decode_answer(body: bytes, aim: Aim) -> Answer:
    """Return the events of a whole answer."""
    return Answer(tuple(Decoder(aim).answer(body)))


def _add_rare(block: Growing, data: bytes) -> list[StreamEvent]:
    delta = read(data, RareEvent).delta
    if delta is not None:
        block.add_rare(delta)
    return []

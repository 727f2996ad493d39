"""Answers read: events in, events out. https://platform.openai.com/docs/api-reference/responses-streaming"""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from sidecar.dialects import errors, lenient
from sidecar.dialects.contract import Aim, Answer, HttpRequest
from sidecar.dialects.openai_responses.calls import Call, CustomCall
from sidecar.dialects.openai_responses.items import Book, Events, Foreign, Message, Piece, Thought
from sidecar.dialects.openai_responses.usage import counted, price
from sidecar.dialects.openai_responses.wire import Event, Item, Response
from sidecar.framing.frame import Frame
from sidecar.framing.sse import BOM, DONE
from sidecar.schema.chat import FinishReason, Reason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import RefusalDelta, StreamEvent, TextDelta, UsageDelta

DECODE_EVENT: Final = msgspec.json.Decoder(Event).decode
MORE_TEXT: Final = "response.output_text.delta"

PIECES: Final[dict[str, type[Piece]]] = {
    "message": Message,
    "reasoning": Thought,
    "function_call": Call,
    "custom_tool_call": CustomCall,
}
"""What becomes of the items of an answer; all others are foreign."""

TERMINAL: Final = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}
"""The events that end an answer, and the status that it then has."""

REASONS: Final[dict[str, Reason]] = {
    "completed": "stop",
    "max_output_tokens": "length",
    "content_filter": "content_filter",
    "max_messages": "pause",
    "steered": "pause",
    "failed": "error",
    "cancelled": "error",
}
"""What statuses mean, and the reasons of answers that are incomplete."""

P = TypeVar("P", bound=Piece)
Handler = Callable[["Decoder", Event], Events]


class Decoder:
    """Reads one answer. `cost` is its price in US dollars, where the server told it, as a decimal string."""

    __slots__ = ("_aim", "_book", "_ended", "_pieces", "_replaced", "cost", "finished", "settled")

    def __init__(self, aim: Aim) -> None:
        self.finished = False
        self.settled = False
        self.cost: str | None = None
        self._aim = aim
        self._book = Book(count().__next__, aim.origin)
        self._pieces: dict[int | None, Piece] = {}
        self._ended: set[int | None] = set()
        self._replaced: list[Piece] = []

    def feed(self, frame: Frame) -> Iterable[StreamEvent]:
        """Return what a frame adds; an error that it carries is raised after that."""
        if self.finished:
            return ()
        try:
            event = DECODE_EVENT(frame.data)
        except lenient.UNREADABLE:
            found = _read(frame.data)
            if found is None:
                return ()
            event = found
        if event.type == MORE_TEXT:  # Nearly all events are: they take no detour.
            piece = self._pieces.get(event.output_index)
            if type(piece) is Message:
                return piece.say(event.content_index, TextDelta, event.delta)
        handle = HANDLERS.get(event.type)
        return handle(self, event) if handle is not None else self._others(event, frame)

    def close(self) -> Iterable[StreamEvent]:
        """Return nothing more: what ends an answer is an event of its own."""
        if not self.finished:
            raise SidecarError("stream_interrupted", "The answer broke off.")
        return ()

    def follow_up(self, request: HttpRequest) -> HttpRequest | None:
        """Return nothing: an answer comes as a whole."""
        del request
        return None

    def answer(self, body: bytes) -> Iterator[StreamEvent]:
        """Return all events of a whole answer."""
        body = body.removeprefix(BOM).strip()
        if not body.startswith(b"{"):
            raise SidecarError("malformed_response", "The provider's answer is not JSON.")
        response = lenient.read(body, Response)
        if response.status != "failed" and (error := errors.error_in(body)) is not None:
            raise error
        if response.output is None and response.status not in TERMINAL.values():
            raise SidecarError("malformed_response", "The provider's answer holds no output.")
        return self._end(response, response.status)

    def _others(self, event: Event, frame: Frame) -> Iterable[StreamEvent]:
        """Return what an event adds that is no mere step of the answer; most such events mean nothing here."""
        kind = event.type or frame.event or ""
        if kind in TERMINAL:
            return self._end(event.response or Response(), TERMINAL[kind])
        if "error" in (kind, frame.event):
            raise errors.error_in(frame.data) or SidecarError("server_error")
        handle = None if event.type else HANDLERS.get(kind)
        if handle is not None:
            return handle(self, event)
        error = None if kind else errors.error_in(frame.data)
        if error is not None:
            raise error
        return ()

    def begin(self, event: Event) -> Events:
        """Take in which tools were offered."""
        tools = event.response.tools if event.response is not None else None
        self._book.declared |= {tool.name for tool in tools or () if tool.name}
        return []

    def add_item(self, event: Event) -> Events:
        """Begin an item."""
        place, item = event.output_index, _item(event.item)
        self._ended.discard(place)
        self._replaced += filter(None, (self._pieces.pop(place, None),))
        piece = self._piece(place, PIECES.get(item.type, Foreign))
        return piece.begin(item) if isinstance(piece, Call) else []

    def end_item(self, event: Event) -> Events:
        """End an item with the whole of it."""
        place = event.output_index
        if place in self._ended:
            return []
        self._ended.add(place)
        item = _item(event.item)
        self._piece(place, PIECES.get(item.type, Foreign))
        return self._pieces.pop(place).finish(item, event.item)

    def say_text(self, event: Event) -> Events:
        """Add to a text."""
        return self._piece(event.output_index, Message).say(event.content_index, TextDelta, event.delta)

    def say_refusal(self, event: Event) -> Events:
        """Add to a refusal."""
        return self._piece(event.output_index, Message).say(event.content_index, RefusalDelta, event.delta)

    def cite(self, event: Event) -> Events:
        """Add a citation to a text."""
        return self._piece(event.output_index, Message).cite(event.content_index, event.annotation)

    def think(self, event: Event) -> Events:
        """Add to a thought."""
        return self._piece(event.output_index, Thought).say("full", event.content_index, event.delta)

    def summarise(self, event: Event) -> Events:
        """Add to the summary of a thought."""
        return self._piece(event.output_index, Thought).say("summary", event.summary_index, event.delta)

    def argue(self, event: Event) -> Events:
        """Add to the arguments of a function."""
        return self._piece(event.output_index, Call).say(event.delta)

    def write(self, event: Event) -> Events:
        """Add to the input of a custom tool."""
        return self._piece(event.output_index, CustomCall).say(event.delta)

    def _piece(self, place: int | None, kind: type[P]) -> P:
        """Return the piece at `place`, a new one where there is none or one of another kind."""
        piece = self._pieces.get(place)
        if type(piece) is kind:
            return piece
        if piece is not None:
            self._replaced.append(piece)
        new = self._pieces[place] = kind(self._book)
        return new

    def _end(self, response: Response, status: str | None) -> Iterator[StreamEvent]:
        """Yield what completes the answer; raise where it failed."""
        self.finished = self.settled = True
        yield from self._complete(response.output or [])
        if response.usage is not None:
            self.cost = price(response.usage, told=self._aim.quirks.cost_field)
            usage = counted(response.usage)
            if usage != UsageDelta():
                yield usage
        status = response.status if response.status in TERMINAL.values() else status
        if status == "failed":
            told = errors.error_in(b'{"error":' + bytes(response.error or b"null") + b"}")
            raise told or SidecarError("server_error")
        yield self._finish_reason(response, status)

    def _complete(self, output: list[Raw]) -> Iterator[StreamEvent]:
        if not self._pieces and not self._ended:
            for place, raw in enumerate(output):
                yield from self.end_item(Event(output_index=place, item=raw))
        for piece in (*self._replaced, *self._pieces.values()):
            yield from piece.close()

    def _finish_reason(self, response: Response, status: str | None) -> FinishReason:
        details = response.incomplete_details
        raw = (details and details.reason) or status
        reason = REASONS.get(raw, "other") if raw is not None else "stop"
        if reason == "stop" and self._book.called:
            return FinishReason("tool_calls", raw)
        return FinishReason("refusal" if reason == "stop" and self._book.refused else reason, raw)


HANDLERS: Final[dict[str, Handler]] = {
    MORE_TEXT: Decoder.say_text,
    "response.refusal.delta": Decoder.say_refusal,
    "response.reasoning_summary_text.delta": Decoder.summarise,
    "response.reasoning_text.delta": Decoder.think,
    "response.function_call_arguments.delta": Decoder.argue,
    "response.custom_tool_call_input.delta": Decoder.write,
    "response.output_text.annotation.added": Decoder.cite,
    "response.output_item.added": Decoder.add_item,
    "response.output_item.done": Decoder.end_item,
    "response.created": Decoder.begin,
    "response.in_progress": Decoder.begin,
}
"""What the steps of an answer do; the events of other types say nothing new."""


def _read(data: bytes) -> Event | None:
    """Return an event that does not fit its form; none for what only marks an end or keeps the connection alive."""
    data = data.strip()
    if not data or data.startswith(DONE) or DONE.startswith(data):
        return None
    return lenient.read(data, Event)


def _item(raw: Raw) -> Item:
    try:
        return msgspec.json.decode(raw, type=Item)
    except lenient.UNREADABLE:
        return lenient.read(bytes(raw), Item) if raw else Item()


def decode_answer(body: bytes, aim: Aim) -> Answer:
    """Return the events of a whole answer."""
    decoder = Decoder(aim)
    events = tuple(decoder.answer(body))
    return Answer(events, decoder.cost)

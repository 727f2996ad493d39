"""Answers read: chunks in, events out."""

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

import msgspec

from sidecar.dialects import errors, lenient
from sidecar.dialects.aloud import Aloud, Pieces
from sidecar.dialects.contract import Aim, Answer, HttpRequest
from sidecar.dialects.openai_chat.tool_calls import ToolCalls
from sidecar.dialects.openai_chat.usage import merge, normalise, price
from sidecar.dialects.openai_chat.wire import Chunk, Delta, ToolFragment, WireUsage
from sidecar.dialects.openai_chat.words import Words
from sidecar.framing.frame import Frame
from sidecar.framing.sse import BOM, DONE
from sidecar.schema.chat import FinishReason, Reason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import ReasoningDelta, RefusalDelta, StreamEvent, TextDelta, UsageDelta

CHUNK: Final = msgspec.json.Decoder(Chunk)

FINISH_REASONS: Final[dict[str, Reason]] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "length": "length",
    "model_length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "refusal",
    "error": "error",
    "insufficient_system_resource": "error",
    "": "error",
}


class Decoder:
    """Reads one answer. `cost` is its price in US dollars, where the server told it, as a decimal string."""

    __slots__ = ("_aim", "_aloud", "_calls", "_raw_finish", "_usage", "_words", "cost", "finished", "settled")

    def __init__(self, aim: Aim) -> None:
        next_index = count().__next__
        mixed = aim.traits.thinks_aloud and not aim.quirks.parsed_reasoning
        self.finished = False
        self.settled = False
        self.cost: str | None = None
        self._aim = aim
        self._words = Words(next_index, aim.origin)
        self._calls = ToolCalls(next_index)
        self._aloud = Aloud() if mixed else None
        self._usage: UsageDelta | None = None
        self._raw_finish: str | None = None

    def feed(self, frame: Frame) -> Iterable[StreamEvent]:
        """Return what a frame adds; an error that it carries is raised after that."""
        data = frame.data
        if self.finished or data[:1] != b"{":
            data = data.strip()
            if self.finished or not data:
                return []
            if data.startswith(DONE):
                return self._end()
            if DONE.startswith(data):
                return []
        if frame.event == "error":
            raise errors.error_in(data) or SidecarError("server_error")
        try:
            chunk = CHUNK.decode(data)
        except lenient.UNREADABLE:
            read = self._read_leniently(data)
            if read is None:
                return []
            chunk = read
        if chunk.error or chunk.choices is None or chunk.x_groq:
            error = errors.error_in(data)
            if error is not None:
                return self._failing(chunk, error)
        return self._events(chunk)

    def close(self) -> Iterable[StreamEvent]:
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
        yield from self.feed(Frame(body))
        if not self._answered:
            raise SidecarError("malformed_response", "The provider's answer holds no message.")
        yield from self._end()

    @property
    def _answered(self) -> bool:
        return bool(self._words or self._calls or self._raw_finish is not None)

    def _read_leniently(self, data: bytes) -> Chunk | None:
        try:
            return lenient.read(data, Chunk)
        except SidecarError as error:
            # The connection was cut in a frame that follows the answer.
            if self.settled and error.type == "stream_interrupted":
                return None
            raise

    def _failing(self, chunk: Chunk, error: SidecarError) -> Iterator[StreamEvent]:
        yield from self._events(chunk)
        raise error

    def _events(self, chunk: Chunk) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        usage = chunk.usage
        for choice in chunk.choices or ():
            if choice.index:
                continue
            delta = choice.delta or choice.message
            if delta is not None:
                self._add(delta, events)
            if choice.finish_reason is not None:
                self._raw_finish = choice.finish_reason or self._raw_finish or ""
                self.settled = bool(self._raw_finish)
            usage = usage or choice.usage
        if chunk.citations is not None or chunk.search_results is not None:
            self._words.sources.listed(chunk)
        if usage is None and chunk.x_groq is not None:
            usage = chunk.x_groq.usage
        if usage is not None:
            self._count(usage, events)
        return events

    def _add(self, delta: Delta, events: list[StreamEvent]) -> None:
        words, content = self._words, delta.content
        reasoning = delta.reasoning or delta.reasoning_content or delta.thinking
        if reasoning or delta.reasoning_details:
            words.think(reasoning, delta.reasoning_details, events)
        if isinstance(content, str):
            if self._aloud is None:
                words.say(TextDelta, content, events)
            else:
                self._tell(self._aloud.split(content), events)
        elif content:
            words.add_parts(content, events)
        if delta.tool_calls or delta.function_call:
            self._call(delta, events)
        if delta.refusal or delta.annotations or delta.images or delta.audio:
            words.add_extras(delta, events)

    def _call(self, delta: Delta, events: list[StreamEvent]) -> None:
        # Some servers tell a call in both forms at once.
        older = [] if delta.function_call is None else [ToolFragment(0, None, delta.function_call)]
        for fragment in delta.tool_calls or older:
            events += self._calls.feed(fragment)

    def _tell(self, pieces: Pieces, events: list[StreamEvent]) -> None:
        thoughts, words = pieces
        self._words.say(ReasoningDelta, thoughts, events)
        self._words.say(TextDelta, words, events)

    def _count(self, wire: WireUsage, events: list[StreamEvent]) -> None:
        quirks = self._aim.quirks
        self.cost = price(wire, told=quirks.cost_field) or self.cost
        usage = merge(self._usage, normalise(wire, reasoning_excluded=quirks.reasoning_excluded))
        if usage not in (self._usage, UsageDelta()):
            self._usage = usage
            events.append(usage)

    def _end(self) -> list[StreamEvent]:
        self.finished = True
        events: list[StreamEvent] = []
        if self._aloud is not None:
            self._tell(self._aloud.rest(), events)
        events += self._calls.finish(self._aim.origin)
        if not self._answered:
            raise SidecarError("stream_interrupted", "The answer ended before it began.")
        self.settled = True
        return [*events, *self._words.finish(), self._finish_reason()]

    def _finish_reason(self) -> FinishReason:
        raw = self._raw_finish
        reason = FINISH_REASONS.get((raw or "").lower(), "other")
        if reason == "stop" or not raw:
            if self._calls:
                reason = "tool_calls"
            elif RefusalDelta in self._words.strands:
                reason = "refusal"
        return FinishReason(reason, raw)


def decode_answer(body: bytes, aim: Aim) -> Answer:
    """Return the events of a whole answer."""
    decoder = Decoder(aim)
    events = tuple(decoder.answer(body))
    return Answer(events, decoder.cost)

"""Answers read: chunks in, events out."""

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

import msgspec
from msgspec import Struct, field

from sidecar.dialects import lenient
from sidecar.dialects.contract import Aim, Answer
from sidecar.dialects.openai_chat import errors
from sidecar.dialects.openai_chat.reasoning import ReasoningDetails, text_of
from sidecar.dialects.openai_chat.tool_calls import ToolCalls
from sidecar.dialects.openai_chat.usage import decimal, merge, normalise
from sidecar.dialects.openai_chat.wire import Annotation, Chunk, ContentPart, Delta, ToolFragment, WireUsage
from sidecar.framing.frame import Frame
from sidecar.schema.chat import FinishReason, Reason, Text, UrlCitation
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import PartDelta, ReasoningDelta, RefusalDelta, StreamEvent, TextDelta, UsageDelta

CHUNK: Final = msgspec.json.Decoder(Chunk)
DONE: Final = b"[DONE]"
BOM: Final = b"\xef\xbb\xbf"

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

Spoken = type[TextDelta] | type[ReasoningDelta] | type[RefusalDelta]


class _Strand(Struct):
    """One part made of words."""

    index: int
    pieces: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Decoder:
    """Reads one answer. `cost` is its price in US dollars, where the server told it, as a decimal string."""

    __slots__ = (
        "_aim",
        "_calls",
        "_citations",
        "_details",
        "_next_index",
        "_raw_finish",
        "_strands",
        "_usage",
        "cost",
        "finished",
        "settled",
    )

    def __init__(self, aim: Aim) -> None:
        self.finished = False
        self.settled = False
        self.cost: str | None = None
        self._aim = aim
        self._next_index = count().__next__
        self._strands: dict[Spoken, _Strand] = {}
        self._calls = ToolCalls(self._next_index)
        self._details = ReasoningDetails()
        self._citations: list[UrlCitation] = []
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
        chunk = self._read(data)
        if chunk is None:
            return []
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
        return bool(self._strands or self._calls or self._raw_finish is not None)

    def _read(self, data: bytes) -> Chunk | None:
        try:
            return CHUNK.decode(data)
        except lenient.UNREADABLE:
            return self._read_leniently(data)

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
        if usage is None and chunk.x_groq is not None:
            usage = chunk.x_groq.usage
        if usage is not None:
            self._count(usage, events)
        return events

    def _add(self, delta: Delta, events: list[StreamEvent]) -> None:
        details = delta.reasoning_details
        if details:
            self._strand(ReasoningDelta)
            self._details.add(details)
        reasoning = delta.reasoning or delta.reasoning_content or delta.thinking or text_of(details or [])
        if reasoning:
            self._say(ReasoningDelta, reasoning, events)
        content = delta.content
        if content:
            if isinstance(content, str):
                self._say(TextDelta, content, events)
            else:
                self._add_parts(content, events)
        if delta.refusal and isinstance(delta.refusal, str):
            self._say(RefusalDelta, delta.refusal, events)
        for fragment in delta.tool_calls or ():
            events += self._calls.feed(fragment)
        if delta.function_call is not None:
            events += self._calls.feed(ToolFragment(0, None, delta.function_call))
        for annotation in delta.annotations or ():
            self._cite(annotation)

    def _add_parts(self, parts: list[ContentPart | str], events: list[StreamEvent]) -> None:
        for part in parts:
            if isinstance(part, str):
                self._say(TextDelta, part, events)
                continue
            thinking = part.thinking or ()
            for thought in [thinking] if isinstance(thinking, str) else thinking:
                self._say(ReasoningDelta, thought if isinstance(thought, str) else thought.text or "", events)
            self._say(TextDelta, part.text or "", events)
            self._say(RefusalDelta, part.refusal or "", events)

    def _strand(self, kind: Spoken) -> _Strand:
        strand = self._strands.get(kind)
        if strand is None:
            strand = self._strands[kind] = _Strand(self._next_index())
        return strand

    def _say(self, kind: Spoken, text: str, events: list[StreamEvent]) -> None:
        if text:
            strand = self._strand(kind)
            strand.pieces.append(text)
            events.append(kind(strand.index, text))

    def _cite(self, annotation: Annotation) -> None:
        page = annotation.url_citation
        if page is not None and page.url:
            self._citations.append(UrlCitation(page.url, page.title, page.start_index, page.end_index))

    def _count(self, wire: WireUsage, events: list[StreamEvent]) -> None:
        quirks = self._aim.quirks
        if quirks.cost_field:
            self.cost = decimal(wire.cost) or self.cost
        usage = merge(self._usage, normalise(wire, reasoning_excluded=quirks.reasoning_excluded))
        if usage not in (self._usage, UsageDelta()):
            self._usage = usage
            events.append(usage)

    def _end(self) -> list[StreamEvent]:
        self.finished = True
        events: list[StreamEvent] = [*self._calls.finish()]
        if not self._answered:
            raise SidecarError("stream_interrupted", "The answer ended before it began.")
        if self._details:
            thoughts = self._strands[ReasoningDelta]
            events.append(PartDelta(thoughts.index, self._details.part(thoughts.text, self._aim.origin)))
        if self._citations and TextDelta in self._strands:
            words = self._strands[TextDelta]
            events.append(PartDelta(words.index, Text(words.text, self._citations)))
        self.settled = True
        return [*events, self._finish_reason()]

    def _finish_reason(self) -> FinishReason:
        raw = self._raw_finish
        reason = FINISH_REASONS.get((raw or "").lower(), "other")
        if reason == "stop" or not raw:
            if self._calls:
                reason = "tool_calls"
            elif RefusalDelta in self._strands:
                reason = "refusal"
        return FinishReason(reason, raw)


def decode_answer(body: bytes, aim: Aim) -> Answer:
    """Return the events of a whole answer."""
    decoder = Decoder(aim)
    events = tuple(decoder.answer(body))
    return Answer(events, decoder.cost)

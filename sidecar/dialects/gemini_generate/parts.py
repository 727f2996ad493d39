"""An answer's parts, put together in the order in which they come."""

from binascii import crc32
from itertools import count
from typing import Final

from msgspec import Raw, Struct, field

from sidecar.dialects.gemini_generate.wire import Blob, FunctionCall, Part
from sidecar.schema.chat import Base64Source, Custom, File, Opaque, Origin, Reasoning, Text, ToolCall
from sidecar.schema.citations import Citation
from sidecar.schema.events import PartDelta, ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta

ABSENT: Final = frozenset({b"", b"null"})

Spoken = type[TextDelta] | type[ReasoningDelta]


class Strand(Struct):
    """A part made of words."""

    kind: Spoken
    index: int
    pieces: list[str] = field(default_factory=list[str])
    opaque: Opaque | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Parts:
    """Turns pieces of an answer into events. `response_id` names the answer, and the calls that come without a name.

    Words run on in one part until something else comes. What is signed is a part of its own, so that it goes back as
    it came.
    """

    __slots__ = ("_calls", "_next_index", "_open", "_origin", "response_id", "texts")

    def __init__(self, origin: Origin) -> None:
        self.response_id = ""
        self.texts: list[Strand] = []
        self._origin = origin
        self._next_index = count().__next__
        self._open: Strand | None = None
        self._calls = 0

    @property
    def called(self) -> bool:
        """Whether a tool was called."""
        return self._calls > 0

    def name(self, response_id: str | None, data: bytes) -> None:
        """Name the answer by its id, or after its first event."""
        self.response_id = response_id or f"{crc32(data):08x}"

    def add(self, part: Part, events: list[StreamEvent]) -> bool:
        """Add what `part` says to `events`; return whether it is of a known kind."""
        text = part.text
        if text is not None:
            kind = ReasoningDelta if part.thought else TextDelta
            strand = self._open
            if strand is not None and strand.kind is kind and text and not part.thought_signature:
                strand.pieces.append(text)
                events.append(kind(strand.index, text))
            else:
                self._begin(kind, text, self._opaque(part.thought_signature), events)
            return True
        if part.function_call is not None and part.function_call.name:
            self._call(part.function_call, self._opaque(part.thought_signature), events)
            return True
        blob = part.inline_data
        if blob is not None and bytes(memoryview(blob.data)[:1]) == b'"' and not part.thought:
            self._file(blob, self._opaque(part.thought_signature), events)
            return True
        return False

    def keep(self, data: Raw, events: list[StreamEvent]) -> None:
        """Add a part of another kind as it came."""
        self.shut(events)
        events.append(PartDelta(self._next_index(), Custom(Opaque(_words(data), self._origin))))

    def shut(self, events: list[StreamEvent]) -> None:
        """End the part that is made of words, if one is open."""
        strand, self._open = self._open, None
        if strand is None:
            return
        if strand.kind is ReasoningDelta:
            events.append(PartDelta(strand.index, Reasoning(strand.text, "summary", strand.opaque)))
        elif strand.opaque is not None:
            events.append(PartDelta(strand.index, Text(strand.text, opaque=strand.opaque)))

    def cite(self, citations: list[list[Citation]], events: list[StreamEvent]) -> None:
        """Add what the texts cite."""
        for strand, cited in zip(self.texts, citations, strict=True):
            if cited:
                events.append(PartDelta(strand.index, Text(strand.text, cited, opaque=strand.opaque)))

    def _begin(self, kind: Spoken, text: str, opaque: Opaque | None, events: list[StreamEvent]) -> None:
        if not text and opaque is None:
            return
        strand = self._open
        if strand is None or strand.kind is not kind or opaque is not None:
            self.shut(events)
            strand = self._open = Strand(kind, self._next_index(), opaque=opaque)
            if kind is TextDelta:
                self.texts.append(strand)
        if text:
            strand.pieces.append(text)
            events.append(kind(strand.index, text))
        if opaque is not None:
            self.shut(events)

    def _call(self, call: FunctionCall, opaque: Opaque | None, events: list[StreamEvent]) -> None:
        self.shut(events)
        self._calls += 1
        index, name = self._next_index(), call.name or ""
        call_id = call.id or f"call_{self.response_id}_{self._calls}"
        arguments = "{}" if bytes(call.args) in ABSENT else _words(call.args)
        events.append(ToolCallDelta(index, call_id, name, arguments))
        if opaque is not None:
            events.append(PartDelta(index, ToolCall(call_id, name, arguments, opaque)))

    def _file(self, blob: Blob, opaque: Opaque | None, events: list[StreamEvent]) -> None:
        self.shut(events)
        media_type = blob.mime_type or "application/octet-stream"
        events.append(PartDelta(self._next_index(), File(media_type, Base64Source(blob.data), opaque=opaque)))

    def _opaque(self, signature: Raw) -> Opaque | None:
        return None if bytes(signature) in ABSENT else Opaque(_words(signature), self._origin)


def _words(data: Raw) -> str:
    return bytes(data).decode(errors="replace")

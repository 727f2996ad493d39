"""The parts of an answer, as they grow."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct, field

from sidecar.dialects import lenient
from sidecar.dialects.openai_chat.media import Recording, picture
from sidecar.dialects.openai_chat.reasoning import ReasoningDetails, signed, text_of
from sidecar.dialects.openai_chat.sources import Sources
from sidecar.dialects.openai_chat.wire import ContentPart, Delta, Sound, UrlReference
from sidecar.schema.chat import Custom, Opaque, Origin, Part, Text
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import PartDelta, ReasoningDelta, RefusalDelta, StreamEvent, TextDelta

PART: Final[msgspec.json.Decoder[str | ContentPart]] = msgspec.json.Decoder(str | ContentPart)

Spoken = type[TextDelta] | type[ReasoningDelta] | type[RefusalDelta]


class Strand(Struct, gc=False):
    """One part made of words."""

    index: int
    pieces: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """The words so far."""
        return "".join(self.pieces)


class Words:
    """Collects what the model says in one answer, in whatever form. `next_index` gives out the indexes of its parts."""

    __slots__ = ("_details", "_next_index", "_origin", "_others", "_recording", "_signature", "sources", "strands")

    def __init__(self, next_index: Callable[[], int], origin: Origin) -> None:
        self.strands: dict[Spoken, Strand] = {}
        self.sources = Sources()
        self._next_index = next_index
        self._origin = origin
        self._details = ReasoningDetails()
        self._signature: str | None = None
        self._recording: tuple[int, Recording] | None = None
        self._others = 0

    def __bool__(self) -> bool:
        return bool(self.strands or self._recording or self._others)

    def say(self, kind: Spoken, text: str, events: list[StreamEvent]) -> None:
        """Add words, if there are any."""
        if text:
            strand = self.strands.get(kind) or self._strand(kind)
            strand.pieces.append(text)
            events.append(kind(strand.index, text))

    def think(self, text: str | None, details: list[dict[str, Any]] | None, events: list[StreamEvent]) -> None:
        """Add to the thoughts: their words, and what belongs to them beside."""
        if details:
            self._strand(ReasoningDelta)
            self._details.add(details)
        self.say(ReasoningDelta, text or text_of(details or []), events)

    def add_parts(self, parts: list[Raw], events: list[StreamEvent]) -> None:
        """Add content that comes as a list."""
        for raw in parts:
            part = _read(raw)
            if isinstance(part, str):
                self.say(TextDelta, part, events)
            elif part is not None:
                self._add_part(part, raw, events)

    def add_extras(self, delta: Delta, events: list[StreamEvent]) -> None:
        """Add what stands beside the content: a refusal, notes, pictures, a recording."""
        if isinstance(delta.refusal, str):
            self.say(RefusalDelta, delta.refusal, events)
        self.sources.note(delta.annotations or ())
        for image in delta.images or ():
            self._put(picture(image.image_url), events)
        if delta.audio is not None:
            self._hear(delta.audio, events)

    def finish(self) -> Iterator[PartDelta]:
        """Yield the parts that have more than words."""
        thoughts, words = self.strands.get(ReasoningDelta), self.strands.get(TextDelta)
        if thoughts is not None and self._details:
            yield PartDelta(thoughts.index, self._details.part(thoughts.text, self._origin))
        elif thoughts is not None and self._signature is not None:
            yield PartDelta(thoughts.index, signed(thoughts.text, self._signature, self._origin))
        if words is not None and self.sources:
            yield PartDelta(words.index, Text(words.text, self.sources.citations()))
        if self._recording is not None:
            index, recording = self._recording
            yield PartDelta(index, recording.file(self._origin))

    def _strand(self, kind: Spoken) -> Strand:
        strand = self.strands.get(kind)
        if strand is None:
            strand = self.strands[kind] = Strand(self._next_index())
        return strand

    def _add_part(self, part: ContentPart, raw: Raw, events: list[StreamEvent]) -> None:
        thinking = part.thinking or ()
        for thought in [thinking] if isinstance(thinking, str) else thinking:
            self.say(ReasoningDelta, thought if isinstance(thought, str) else thought.text or "", events)
        self._signature = part.signature or self._signature
        self.say(TextDelta, part.text or "", events)
        self.say(RefusalDelta, part.refusal or "", events)
        if part.url:
            self.sources.cite(UrlReference(part.url, part.title))
        elif part.image_url is not None:
            self._put(picture(part.image_url), events)
        elif part.type and part.thinking is None and part.text is None and part.refusal is None:
            self._put(Custom(Opaque(bytes(raw).decode(errors="replace"), self._origin)), events)

    def _put(self, part: Part | None, events: list[StreamEvent]) -> None:
        """Add a part that comes whole."""
        if part is not None:
            self._others += 1
            events.append(PartDelta(self._next_index(), part))

    def _hear(self, sound: Sound, events: list[StreamEvent]) -> None:
        if self._recording is None:
            self._recording = self._next_index(), Recording()
        self._recording[1].add(sound)
        self.say(TextDelta, sound.transcript or "", events)


def _read(raw: Raw) -> str | ContentPart | None:
    """Return a part of content, as far as it can be read."""
    try:
        return PART.decode(raw)
    except lenient.UNREADABLE:
        try:
            return lenient.read(bytes(raw), ContentPart)
        except SidecarError:
            return None

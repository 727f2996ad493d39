"""Pieces of an answer on their way: each takes in what a stream says of it, and gives out parts."""

from collections.abc import Callable, Iterable
from typing import Final, Literal, Protocol

import msgspec
from msgspec import Raw, Struct, field

from sidecar.dialects.openai_responses.wire import Annotation, Content, Item
from sidecar.schema.chat import Custom, Opaque, Origin, Reasoning, Refusal, Text
from sidecar.schema.citations import Citation, DocumentCitation, UrlCitation
from sidecar.schema.events import PartDelta, ReasoningDelta, RefusalDelta, StreamEvent, TextDelta

Events = list[StreamEvent]
Form = Literal["full", "summary"]

BETWEEN_SUMMARIES: Final = "\n\n"


class Book(Struct):
    """What the pieces of one answer share. `next_index` gives out the indexes of its parts.

    `declared` names the tools that were offered; `called` and `refused` tell what the model did.
    """

    next_index: Callable[[], int]
    origin: Origin
    declared: frozenset[str] = frozenset()
    called: bool = False
    refused: bool = False

    def keep(self, raw: Raw | bytes) -> Opaque:
        """Return provider data that is to go back as it came."""
        return Opaque(bytes(raw).decode(errors="replace"), self.origin)


class Piece(Protocol):
    """`finish` takes the whole of a piece, verbatim beside it; `close` ends one whose whole never came."""

    def __init__(self, book: Book) -> None: ...
    def finish(self, item: Item, raw: Raw) -> Events: ...
    def close(self) -> Events: ...


class Words(Struct):
    """A text or a refusal."""

    index: int
    kind: type[TextDelta | RefusalDelta]
    pieces: list[str] = field(default_factory=list[str])
    citations: list[Citation] = field(default_factory=list[Citation])

    def part(self, opaque: Opaque | None) -> Text | Refusal:
        """Return what came."""
        text = "".join(self.pieces)
        return Text(text, self.citations, opaque=opaque) if self.kind is TextDelta else Refusal(text, opaque)


class Message:
    """What the model says, as words at numbered places."""

    __slots__ = ("_book", "_words")

    def __init__(self, book: Book) -> None:
        self._book = book
        self._words: dict[int | None, Words] = {}

    def say(self, place: int | None, kind: type[TextDelta | RefusalDelta], text: str) -> Events:
        """Return more of the words at `place`."""
        if not text:
            return []
        words = self._words.get(place)
        if words is None:
            words = self._words[place] = Words(self._book.next_index(), kind)
            self._book.refused |= kind is RefusalDelta
        words.pieces.append(text)
        return [words.kind(words.index, text)]

    def cite(self, place: int | None, annotation: Annotation | None) -> Events:
        """Take in what the words at `place` refer to."""
        citation = _citation(annotation or Annotation())
        if citation is not None and place in self._words:
            self._words[place].citations.append(citation)
        return []

    def finish(self, item: Item, raw: Raw) -> Events:
        del raw
        events: Events = []
        for place, content in enumerate(item.content or ()):
            events += self._complete(None if None in self._words else place, content)
        phase = None if item.phase is None else self._book.keep(msgspec.json.encode({"phase": item.phase}))
        return events + self._parts(phase)

    def close(self) -> Events:
        return self._parts(None)

    def _complete(self, place: int | None, content: Content) -> Events:
        """Return what was not said before."""
        kind, text = (RefusalDelta, content.refusal) if content.refusal else (TextDelta, content.text or "")
        words = self._words.get(place)
        events = self.say(place, kind, _rest(text, words.pieces if words else []))
        cited = [found for annotation in content.annotations or () if (found := _citation(annotation)) is not None]
        if cited and place in self._words:
            self._words[place].citations = cited
        return events

    def _parts(self, opaque: Opaque | None) -> Events:
        """Return the parts that are more than words."""
        return [PartDelta(w.index, w.part(opaque)) for w in self._words.values() if w.citations or opaque is not None]


class Thought:
    """What the model thinks: in full, or in a summary; where both come, what came first counts."""

    __slots__ = ("_book", "_form", "_index", "_pieces", "_place")

    def __init__(self, book: Book) -> None:
        self._book = book
        self._form: Form | None = None
        self._index = -1
        self._place: int | None = None
        self._pieces: list[str] = []

    def say(self, form: Form, place: int | None, text: str) -> Events:
        """Return more of the thought; paragraphs of a summary have places of their own."""
        if not text or self._form not in (None, form):
            return []
        if self._form is None:
            self._form, self._index = form, self._book.next_index()
        elif place != self._place:
            text = BETWEEN_SUMMARIES + text
        self._place = place
        self._pieces.append(text)
        return [ReasoningDelta(self._index, text)]

    def finish(self, item: Item, raw: Raw) -> Events:
        events: Events = []
        if not self._pieces:
            events += self._whole("full", item.content or ())
            events += self._whole("summary", item.summary or ())
        return events + self._part(self._book.keep(raw) if item.encrypted_content or item.content else None)

    def close(self) -> Events:
        return self._part(None)

    def _whole(self, form: Form, contents: Iterable[Content]) -> Events:
        return [event for n, content in enumerate(contents) for event in self.say(form, n, content.text or "")]

    def _part(self, opaque: Opaque | None) -> Events:
        if opaque is None and self._form != "summary":
            return []
        if self._form is None:
            return [PartDelta(self._book.next_index(), Reasoning("", "redacted", opaque))]
        return [PartDelta(self._index, Reasoning("".join(self._pieces), self._form, opaque))]


class Foreign:
    """What only the provider understands."""

    __slots__ = ("_book",)

    def __init__(self, book: Book) -> None:
        self._book = book

    def finish(self, item: Item, raw: Raw) -> Events:
        del item
        return [PartDelta(self._book.next_index(), Custom(self._book.keep(raw)))]

    def close(self) -> Events:
        return []


def _rest(text: str, pieces: list[str]) -> str:
    """Return the end of `text`, where `pieces` are its beginning."""
    said = "".join(pieces)
    return text[len(said) :] if text.startswith(said) else ""


def _citation(annotation: Annotation) -> Citation | None:
    if annotation.type == "url_citation" and annotation.url:
        start, end = annotation.start_index, annotation.end_index
        return UrlCitation(annotation.url, annotation.title, start=start, end=end)
    if annotation.file_id:
        return DocumentCitation(file_id=annotation.file_id, title=annotation.filename)
    return None

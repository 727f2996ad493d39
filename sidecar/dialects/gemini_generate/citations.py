"""What an answer rests on, as citations of its texts. https://ai.google.dev/gemini-api/docs/google-search"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from sidecar.dialects.gemini_generate.wire import Grounding, Page, Quotations, Segment, Source
from sidecar.schema.citations import Citation, DocumentCitation, UrlCitation

NOWHERE = Segment()
WHOLE = (0, None, None)

Place = tuple[int, int | None, int | None]
"""The number of a text, and from which character to which it is meant; `None` for all of it."""


class Claims(Struct):
    """Collects what an answer's events say of sources; `cite` then finds the places in the texts."""

    groundings: list[Grounding] = []
    quotations: list[Quotations] = []

    def cite(self, texts: list[str]) -> list[list[Citation]]:
        """Return the citations of each text, each once."""
        found: list[dict[Citation, None]] = [{} for _ in texts]
        finder = _Finder(texts)
        if texts:
            for (number, start, end), citation in self._all(finder):
                found[number][_placed(citation, start, end)] = None
        return [list(citations) for citations in found]

    def _all(self, finder: "_Finder") -> Iterator[tuple[Place, Citation]]:
        for grounding in self.groundings:
            yield from _grounded(grounding, finder)
        for quotations in self.quotations:
            for one in quotations.citation_sources or quotations.citations or ():
                if one.uri:
                    place = finder.find(Segment(one.start_index, one.end_index))
                    yield place, UrlCitation(one.uri, one.title)


def _grounded(grounding: Grounding, finder: "_Finder") -> Iterator[tuple[Place, Citation]]:
    """Yield each support with its sources, then the sources that support nothing in particular."""
    sources = grounding.grounding_chunks or []
    used: set[int] = set()
    for support in grounding.grounding_supports or ():
        numbers = [n for n in support.grounding_chunk_indices or () if 0 <= n < len(sources)]
        used.update(numbers)
        place = finder.find(support.segment or NOWHERE)
        yield from ((place, citation) for citation in _citations(sources[n] for n in numbers))
    rest = (source for n, source in enumerate(sources) if n not in used)
    yield from ((WHOLE, citation) for citation in _citations(rest))


def _citations(sources: Iterable[Source]) -> Iterator[Citation]:
    for source in sources:
        context = source.retrieved_context
        page = source.web or source.maps or source.image or context or Page()
        url = page.uri or page.source_uri
        quote = context.text if context is not None and context is page else None
        if url:
            yield UrlCitation(url, page.title, quote)
        elif page.title or quote:
            yield DocumentCitation(title=page.title, quote=quote)


def _placed(citation: Citation, start: int | None, end: int | None) -> Citation:
    if isinstance(citation, DocumentCitation):
        return citation
    return UrlCitation(citation.url, citation.title, citation.quote, start, end)


class _Finder:
    """Finds segments in the texts of an answer."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts
        self._joined = "".join(texts)
        self._bytes = self._joined.encode(errors="replace")

    def find(self, segment: Segment) -> Place:
        """Return the place of a segment.

        Its borders count from the beginning of what the model said. Where they lie in a part of it that was said
        otherwise, such as after a tool call, the words themselves are looked for.
        """
        start, end = segment.start_index or 0, segment.end_index
        if end is None or not 0 <= start < end <= len(self._bytes):
            return self._look_for(segment.text)
        words = self._bytes[start:end].decode(errors="replace")
        if segment.text is not None and words != segment.text:
            return self._look_for(segment.text)
        return self._within(len(self._bytes[:start].decode(errors="replace")), len(words))

    def _look_for(self, words: str | None) -> Place:
        at = self._joined.find(words) if words else -1
        return WHOLE if at < 0 or not words else self._within(at, len(words))

    def _within(self, start: int, length: int) -> Place:
        """Return the place of characters that are counted through all texts; the text they begin in has them."""
        for number, text in enumerate(self._texts):
            if start < len(text):
                return number, start, min(start + length, len(text))
            start -= len(text)
        return WHOLE

"""Pages that an answer cites, wherever servers name them."""

from collections.abc import Iterable

from sidecar.dialects.openai_chat.wire import Annotation, Chunk, UrlReference
from sidecar.schema.citations import Citation, UrlCitation


class Sources:
    """Collects the pages of one answer. A list beside the answer is repeated with each chunk; the last one counts."""

    __slots__ = ("_cited", "_listed", "_searched")

    def __init__(self) -> None:
        self._cited: list[UrlCitation] = []
        self._listed: list[UrlCitation] = []
        self._searched: list[UrlCitation] = []

    def __bool__(self) -> bool:
        return bool(self._cited or self._listed or self._searched)

    def note(self, annotations: Iterable[Annotation]) -> None:
        """Take in notes on the text."""
        self._cited += _pages(note.url_citation for note in annotations)

    def cite(self, page: UrlReference) -> None:
        """Take in a page."""
        self._cited += _pages([page])

    def listed(self, chunk: Chunk) -> None:
        """Take in what stands beside an answer."""
        self._listed = _pages(chunk.citations or ()) or self._listed
        self._searched = _pages(chunk.search_results or ()) or self._searched

    def citations(self) -> list[Citation]:
        """Return what the text cites, then the pages that were only searched, each once."""
        known = {page.url for page in self._cited}
        others = {page.url: page for page in (*self._listed, *self._searched) if page.url not in known}
        return [*self._cited, *others.values()]


def _pages(references: Iterable[UrlReference | str | None]) -> list[UrlCitation]:
    found = (UrlReference(one) if isinstance(one, str) else one for one in references)
    return [
        UrlCitation(page.url, page.title, page.snippet, page.start_index, page.end_index)
        for page in found
        if page is not None and page.url
    ]

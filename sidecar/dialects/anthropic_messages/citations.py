"""Places that a text refers to. https://platform.claude.com/docs/en/build-with-claude/citations"""

from collections.abc import Callable
from typing import Final

from sidecar.dialects.anthropic_messages.wire import WireCitation
from sidecar.schema.citations import Citation, DocumentCitation, UrlCitation


def citation_of(wire: WireCitation) -> Citation | None:
    """Return the place, if it is of a kind that the protocol has words for."""
    read = KINDS.get(wire.type or "")
    return None if read is None else read(wire)


def _page_found(wire: WireCitation) -> Citation | None:
    return UrlCitation(wire.url, wire.title, wire.cited_text) if wire.url else None


def _search_result(wire: WireCitation) -> Citation | None:
    return UrlCitation(wire.source, wire.title, wire.cited_text) if wire.source else None


def _characters(wire: WireCitation) -> Citation:
    return DocumentCitation(
        wire.document_index,
        wire.file_id,
        wire.document_title,
        wire.cited_text,
        "character",
        wire.start_char_index,
        wire.end_char_index,
    )


def _pages(wire: WireCitation) -> Citation:
    return DocumentCitation(
        wire.document_index,
        wire.file_id,
        wire.document_title,
        wire.cited_text,
        "page",
        _from_zero(wire.start_page_number),
        _from_zero(wire.end_page_number),
    )


def _blocks(wire: WireCitation) -> Citation:
    return DocumentCitation(
        wire.document_index,
        wire.file_id,
        wire.document_title,
        wire.cited_text,
        "block",
        wire.start_block_index,
        wire.end_block_index,
    )


def _from_zero(number: int | None) -> int | None:
    """Return a page number, which servers count from 1."""
    return None if number is None else max(0, number - 1)


KINDS: Final[dict[str, Callable[[WireCitation], Citation | None]]] = {
    "web_search_result_location": _page_found,
    "search_result_location": _search_result,
    "char_location": _characters,
    "page_location": _pages,
    "content_block_location": _blocks,
}

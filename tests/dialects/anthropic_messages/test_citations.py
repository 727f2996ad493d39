"""Places that a text refers to."""

from typing import Any

import pytest
from messages_dialect import STOP, STOPPED, Json, delta, end, events_of, finish, opaque, said, start

from sidecar.schema.chat import Text
from sidecar.schema.citations import DocumentCitation, UrlCitation
from sidecar.schema.events import PartDelta, TextDelta

PLACE = {"cited_text": "It rains.", "document_index": 1, "document_title": "Report", "file_id": "file_1"}


@pytest.mark.parametrize(
    ("place", "citation"),
    [
        (
            {"type": "char_location", "start_char_index": 0, "end_char_index": 9, **PLACE},
            DocumentCitation(1, "file_1", "Report", "It rains.", "character", 0, 9),
        ),
        (
            {"type": "page_location", "start_page_number": 1, "end_page_number": 3, **PLACE},
            DocumentCitation(1, "file_1", "Report", "It rains.", "page", 0, 2),
        ),
        (
            {"type": "content_block_location", "start_block_index": 2, "end_block_index": 3, **PLACE},
            DocumentCitation(1, "file_1", "Report", "It rains.", "block", 2, 3),
        ),
        (
            {"type": "search_result_location", "source": "https://s.test/", "title": "S", "cited_text": "Wet."},
            UrlCitation("https://s.test/", "S", "Wet."),
        ),
    ],
)
def test_a_text_tells_what_it_cites(place: Json, citation: Any) -> None:
    cited = delta(0, "citations_delta", citation=place)
    wanted = [TextDelta(0, "Wet."), PartDelta(0, Text("Wet.", [citation])), STOPPED]
    begun, words = start(0, type="text", text="", citations=[]), delta(0, "text_delta", text="Wet.")
    assert events_of(begun, cited, words, end(0), finish(), STOP) == wanted
    assert events_of(begun, words, cited, end(0), finish(), STOP) == wanted
    assert events_of(start(0, type="text", text="Wet.", citations=[place]), end(0), finish(), STOP) == wanted


def test_a_place_on_the_web_goes_back_with_its_text() -> None:
    place = {"type": "web_search_result_location", "url": "https://w.test/", "title": "W", "encrypted_index": "eA=="}
    cited = delta(0, "citations_delta", citation=place)
    block = {"type": "text", "text": "Wet.", "citations": [place]}
    assert events_of(*said("Wet.")[:2], cited, end(0), finish(), STOP) == [
        TextDelta(0, "Wet."),
        PartDelta(0, Text("Wet.", [UrlCitation("https://w.test/", "W")], opaque=opaque(block))),
        STOPPED,
    ]


@pytest.mark.parametrize("place", [None, 7, {}, {"type": "moon_location"}, {"type": "search_result_location"}])
def test_places_of_unknown_kinds_are_left_out(place: Any) -> None:
    cited = delta(0, "citations_delta", citation=place)
    assert events_of(*said("Wet.")[:2], cited, end(0), finish(), STOP) == [TextDelta(0, "Wet."), STOPPED]

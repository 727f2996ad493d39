"""Sources of an answer, placed in its words."""

from typing import Any

import pytest
from generate_dialect import ORIGIN, chunk, events_of, opaque

from sidecar.schema.chat import Custom, FinishReason, Opaque, Text
from sidecar.schema.citations import Citation, DocumentCitation, UrlCitation
from sidecar.schema.events import PartDelta, TextDelta, ToolCallDelta

A, B = {"web": {"uri": "https://a.test", "title": "a"}}, {"web": {"uri": "https://b.test"}}


def cited(*texts: str, **metadata: Any) -> list[Any]:
    """Return the events that follow the words."""
    events = events_of(*(chunk({"text": text}) for text in texts), chunk(finish="STOP", **metadata))
    return events[len(texts) :]


def grounding(*supports: Any, chunks: Any = (A, B)) -> dict[str, Any]:
    return {"groundingChunks": list(chunks), "groundingSupports": list(supports)}


def support(start: int | None, end: int | None, text: str | None, *sources: int) -> dict[str, Any]:
    known = {"startIndex": start, "endIndex": end, "text": text}
    segment = {name: value for name, value in known.items() if value is not None}
    return {"segment": segment, "groundingChunkIndices": list(sources)}


@pytest.mark.parametrize(
    ("supports", "citations"),
    [
        ([support(None, 6, "Äpfel", 0)], [UrlCitation("https://a.test", "a", start=0, end=5)]),
        ([support(7, 15, "sind rot", 0)], [UrlCitation("https://a.test", "a", start=6, end=14)]),
        ([support(99, 107, "sind rot", 0)], [UrlCitation("https://a.test", "a", start=6, end=14)]),
        ([support(2, 8, "sind rot", 0)], [UrlCitation("https://a.test", "a", start=6, end=14)]),
        ([support(7, 15, None, 0)], [UrlCitation("https://a.test", "a", start=6, end=14)]),
        ([support(None, None, "nowhere", 0)], [UrlCitation("https://a.test", "a")]),
        ([support(None, 6, "Äpfel", 0, 0, 7, -1)], [UrlCitation("https://a.test", "a", start=0, end=5)]),
        ([], [UrlCitation("https://a.test", "a")]),
        ([{"groundingChunkIndices": [0]}], [UrlCitation("https://a.test", "a")]),
    ],
)
def test_places_are_counted_in_characters(supports: list[Any], citations: list[Citation]) -> None:
    found = cited("Äpf", "el sind rot", groundingMetadata=grounding(*supports, chunks=[A]))
    assert found[0] == PartDelta(0, Text("Äpfel sind rot", citations))


def test_sources_that_support_nothing_in_particular_are_cited_as_well() -> None:
    metadata = grounding(support(None, 3, "One", 1))
    assert cited("One", groundingMetadata=metadata) == [
        PartDelta(0, Text("One", [UrlCitation("https://b.test", start=0, end=3), UrlCitation("https://a.test", "a")])),
        PartDelta(1, Custom(opaque({"groundingMetadata": metadata}))),
        FinishReason("stop", "STOP"),
    ]


def test_a_citation_goes_to_the_text_that_its_words_begin_in() -> None:
    metadata = grounding(support(4, 9, "two 🍎", 0), support(None, 3, "two", 1), chunks=[A, B])
    events = events_of(
        chunk({"text": "one "}, {"functionCall": {"id": "f", "name": "f"}}, {"text": "two 🍎"}),
        chunk({"text": "", "thoughtSignature": "s"}, finish="STOP", groundingMetadata=metadata),
    )
    assert events == [
        TextDelta(0, "one "),
        ToolCallDelta(1, "f", "f", "{}"),
        TextDelta(2, "two 🍎"),
        PartDelta(3, Text("", opaque=opaque("s"))),
        PartDelta(
            2,
            Text(
                "two 🍎",
                [UrlCitation("https://a.test", "a", start=0, end=5), UrlCitation("https://b.test", start=0, end=3)],
            ),
        ),
        PartDelta(4, Custom(opaque({"groundingMetadata": metadata}))),
        FinishReason("tool_calls", "STOP"),
    ]


def test_sources_of_all_kinds_are_cited() -> None:
    chunks = [
        {"maps": {"uri": "https://maps.test", "title": "Café"}},
        {"image": {"sourceUri": "https://image.test", "title": "i"}},
        {"retrievedContext": {"uri": "https://doc.test", "title": "d", "text": "says"}},
        {"retrievedContext": {"title": "handbook.pdf", "text": "chapter one"}},
        {"hologram": {}},
    ]
    assert cited("x", groundingMetadata=grounding(chunks=chunks))[0] == PartDelta(
        0,
        Text(
            "x",
            [
                UrlCitation("https://maps.test", "Café"),
                UrlCitation("https://image.test", "i"),
                UrlCitation("https://doc.test", "d", "says"),
                DocumentCitation(title="handbook.pdf", quote="chapter one"),
            ],
        ),
    )


@pytest.mark.parametrize("name", ["citationSources", "citations"])
def test_quotations_are_cited(name: str) -> None:
    found = [{"startIndex": 1, "endIndex": 3, "uri": "https://q.test", "license": "mit"}, {"endIndex": 1}]
    assert cited("abc", citationMetadata={name: found}) == [
        PartDelta(0, Text("abc", [UrlCitation("https://q.test", start=1, end=3)])),
        FinishReason("stop", "STOP"),
    ]


def test_what_citations_do_not_say_is_kept_once_and_as_it_came() -> None:
    raw = b'{"urlMetadata":[{"retrievedUrl":"https://u.test", "x":1.0}]}'
    frame = b'{"candidates":[{"content":{"parts":[{"text":"a"}]},"urlContextMetadata":' + raw + b"}]}"
    events = events_of(frame, frame, chunk(finish="STOP"))
    kept = Custom(Opaque('{"urlContextMetadata":' + raw.decode() + "}", ORIGIN))
    assert events[2:] == [PartDelta(1, kept), FinishReason("stop", "STOP")]

"""What answers hold beside words: thoughts among them, sources, pictures, recordings, parts that only servers know."""

import base64
import json
from typing import Any

import pytest
from chat_dialect import ORIGIN, aim, delta, events_of
from msgspec import Raw

from sidecar.dialects.contract import StreamDecoder
from sidecar.dialects.openai_chat import DIALECT
from sidecar.dialects.traits import ModelTraits
from sidecar.framing.frame import Frame
from sidecar.schema.chat import (
    Base64Source,
    ChatRequest,
    Custom,
    File,
    FinishReason,
    Message,
    Opaque,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    UrlSource,
)
from sidecar.schema.citations import UrlCitation
from sidecar.schema.events import PartDelta, ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta
from sidecar.transcript import Transcript

STOP = FinishReason("stop", "stop")


def fed(decoder: StreamDecoder, *chunks: Any) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    for chunk in chunks:
        events += decoder.feed(Frame(json.dumps(chunk).encode()))
    return [*events, *decoder.close()]


def aloud(*words: str, **quirks: Any) -> tuple[str, str, list[Any]]:
    """Return the thoughts, the words, and the kinds of the parts in their order."""
    decoder = DIALECT.decode_stream(aim(ModelTraits(thinks_aloud=True), **quirks))
    transcript = Transcript()
    for event in fed(decoder, *(delta(content=text) for text in words), delta("stop")):
        transcript.add(event)
    parts = transcript.message().content
    assert isinstance(parts, list)
    thoughts = "".join(part.text for part in parts if isinstance(part, Reasoning))
    return thoughts, "".join(part.text for part in parts if isinstance(part, Text)), [type(part) for part in parts]


@pytest.mark.parametrize(
    ("answer", "thoughts", "words"),
    [
        ("<think>\nHm.\n</think>\n\nYes.", "Hm.\n", "Yes."),
        ("\n<think>Hm.</think>Yes.", "Hm.", "Yes."),
        ("<think></think>Yes.", "", "Yes."),
        ("<think>Hm", "Hm", ""),
        ("<think>a </thin b</think>c", "a </thin b", "c"),
        ("<think>a</thi", "a</thi", ""),
        ("<thin", "", "<thin"),
        ("<thing>", "", "<thing>"),
        ("No <think>a</think>", "", "No <think>a</think>"),
        ("<think>a</think>b <think>c</think>", "a", "b <think>c</think>"),
        ("<think>a</think>b\n\n", "a", "b\n\n"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_thoughts_in_front_of_words_are_told_apart(answer: str, thoughts: str, words: str, size: int) -> None:
    pieces = [answer[at : at + size] for at in range(0, len(answer), size)]
    assert aloud(*pieces)[:2] == (thoughts, words)
    kinds = [kind for kind, text in ((Reasoning, thoughts), (Text, words)) if text]
    assert aloud(*pieces)[2] == kinds


def test_thoughts_that_the_server_keeps_apart_or_that_are_not_expected_are_left_alone() -> None:
    assert aloud("<think>a</think>b", parsed_reasoning=True)[:2] == ("", "<think>a</think>b")
    assert events_of(delta("stop", content="<think>a")) == [TextDelta(0, "<think>a"), STOP]


def test_signed_thoughts_keep_their_signature() -> None:
    def chunk(text: str, **members: Any) -> Any:
        return {"type": "thinking", "thinking": [{"type": "text", "text": text}], **members}

    events = events_of(
        delta(content=[chunk("Hm")]),
        delta(content=[chunk("!", signature="s", closed=True)]),
        delta("stop", content=[{"type": "text", "text": "A"}]),
    )
    data = '{"type":"thinking","thinking":[{"type":"text","text":"Hm!"}],"signature":"s","closed":true}'
    assert events[-2:] == [PartDelta(0, Reasoning("Hm!", opaque=Opaque(data, ORIGIN))), STOP]


def test_pages_that_stand_beside_an_answer_are_cited() -> None:
    listed = {
        "citations": ["https://a.test", "https://b.test"],
        "search_results": [
            {"title": "A", "url": "https://a.test", "date": "2026-01-01", "snippet": "Words"},
            {"title": "C", "url": "https://c.test"},
        ],
    }
    events = events_of(delta(content="Yes [1]") | listed, delta("stop") | listed)
    cited = [
        UrlCitation("https://a.test", "A", "Words"),
        UrlCitation("https://b.test"),
        UrlCitation("https://c.test", "C"),
    ]
    assert events == [TextDelta(0, "Yes [1]"), PartDelta(0, Text("Yes [1]", [*cited])), STOP]


def test_a_page_is_cited_once_although_it_is_listed_too() -> None:
    note = {"type": "url_citation", "url_citation": {"url": "https://a.test", "start_index": 0, "end_index": 3}}
    chunk = delta("stop", content="Yes", annotations=[note]) | {"citations": ["https://a.test"]}
    assert events_of(chunk)[1] == PartDelta(0, Text("Yes", [UrlCitation("https://a.test", start=0, end=3)]))


def test_references_with_an_address_are_citations_and_others_are_kept() -> None:
    page = {"type": "tool_reference", "tool": "web_search", "title": "A", "url": "https://a.test"}
    events = events_of(delta("stop", content=[{"type": "text", "text": "Yes"}, page, {"type": "new", "n": 1.5}]))
    assert events == [
        TextDelta(0, "Yes"),
        PartDelta(1, Custom(Opaque('{"type":"new","n":1.5}', ORIGIN))),
        PartDelta(0, Text("Yes", [UrlCitation("https://a.test", "A")])),
        STOP,
    ]


def test_pictures_are_files() -> None:
    inline, page = "data:image/webp;base64,UklG", "https://a.test/x.png"
    images = [
        {"type": "image_url", "image_url": {"url": inline}},
        {"image_url": page},
        {"image_url": None},
        {"image_url": {"url": None}},
    ]
    parts = [{"type": "image_url", "image_url": {"url": inline}}]
    drawn = File("image/webp", Base64Source(Raw(b'"UklG"')))
    assert events_of(delta(images=images), delta("stop", content=parts)) == [
        PartDelta(0, drawn),
        PartDelta(1, File("image/*", UrlSource(page))),
        PartDelta(2, drawn),
        STOP,
    ]


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"RIFF....WAVE", "audio/wav"),
        (b"ID3.", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio/mpeg"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"\x00\x01", "audio/pcm"),
    ],
)
def test_a_recording_is_a_file_and_its_words_are_text(data: bytes, media_type: str) -> None:
    pieces = [base64.b64encode(piece).decode() for piece in (data[:1], data[1:])]
    events = events_of(
        delta(audio={"id": "audio_1", "transcript": "Hel"}),
        delta(audio={"data": pieces[0], "transcript": "lo"}),
        delta(audio={"data": pieces[1]}),
        delta("stop", audio={"data": "?", "expires_at": 1}),
    )
    source = Base64Source(Raw(b'"' + base64.b64encode(data) + b'"'))
    assert events == [
        TextDelta(1, "Hel"),
        TextDelta(1, "lo"),
        PartDelta(0, File(media_type, source, opaque=Opaque('{"id":"audio_1"}', ORIGIN))),
        STOP,
    ]


def call_of(events: list[StreamEvent]) -> ToolCall:
    transcript = Transcript()
    for event in events:
        transcript.add(event)
    (part,) = transcript.message().content
    assert isinstance(part, ToolCall)
    return part


def replayed(call: ToolCall) -> Any:
    """Return the call as it goes back."""
    messages = [Message("assistant", [call]), Message("tool", [ToolResult(call.id, "")])]
    body = DIALECT.encode_request(ChatRequest(messages=messages), aim()).body
    return json.loads(body)["messages"][0]["tool_calls"][0]


def test_what_a_server_adds_to_a_tool_call_goes_back_with_it() -> None:
    function = {"name": "f", "arguments": '{"a":'}
    first = {"index": 0, "id": "c", "function": function, "extra_content": {"signed": {"by": "x=="}}}
    second = {"index": 0, "function": {"arguments": "1}"}, "extra_content": None}
    call = call_of(events_of(delta(tool_calls=[first]), delta("tool_calls", tool_calls=[second])))
    assert call == ToolCall("c", "f", '{"a":1}', Opaque('{"extra_content":{"signed":{"by":"x=="}}}', ORIGIN))
    assert replayed(call) == {
        "id": "c",
        "type": "function",
        "function": {"name": "f", "arguments": '{"a":1}'},
        "extra_content": {"signed": {"by": "x=="}},
    }


@pytest.mark.parametrize("text", ["print(1)", ""])
def test_a_tool_that_takes_any_text_is_called_with_text(text: str) -> None:
    wire = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "run", "input": text}}
    events = events_of(delta("tool_calls", tool_calls=[wire]))
    assert events[0] == ToolCallDelta(0, "c", "run", text)
    call = call_of(events)
    assert call == ToolCall("c", "run", text, Opaque('{"type":"custom"}', ORIGIN))
    assert replayed(call) == {"id": "c", "type": "custom", "custom": {"name": "run", "input": text}}


def test_reasoning_and_words_keep_their_order() -> None:
    events = events_of(delta(content="A"), delta("stop", reasoning="Hm", content="B"))
    assert events == [TextDelta(0, "A"), ReasoningDelta(1, "Hm"), TextDelta(0, "B"), STOP]

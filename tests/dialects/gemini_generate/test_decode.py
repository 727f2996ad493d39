"""Streams and answers of generateContent, in the forms that the server gives them."""

import json
from typing import Any

import msgspec
import pytest
from generate_dialect import ORIGIN, aim, chunk, events_of, opaque
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from sidecar.dialects.contract import HttpRequest
from sidecar.dialects.gemini_generate import DIALECT
from sidecar.framing.frame import Frame
from sidecar.schema.chat import (
    Base64Source,
    Custom,
    File,
    FinishReason,
    Opaque,
    Reasoning,
    Text,
    ToolCall,
    Warning,
)
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import PartDelta, ReasoningDelta, TextDelta, ToolCallDelta, UsageDelta

STOP = FinishReason("stop", "STOP")


def test_words_and_counts_go_out_as_they_come() -> None:
    assert events_of(
        chunk({"text": "Hel"}, usage={"promptTokenCount": 4, "candidatesTokenCount": 1}),
        chunk({"text": "lo"}, usage={"promptTokenCount": 4, "candidatesTokenCount": 1}),
        chunk(finish="STOP", usage={"promptTokenCount": 4, "candidatesTokenCount": 2, "cachedContentTokenCount": 3}),
    ) == [
        TextDelta(0, "Hel"),
        UsageDelta(input_tokens=4, output_tokens=1),
        TextDelta(0, "lo"),
        UsageDelta(input_tokens=4, output_tokens=2, cache_read_tokens=3),
        STOP,
    ]


def test_thoughts_are_a_summary_in_a_part_of_their_own() -> None:
    assert events_of(
        chunk({"text": "Why", "thought": True}),
        chunk({"text": " not?", "thought": True}, {"text": "Yes."}, finish="STOP"),
    ) == [
        ReasoningDelta(0, "Why"),
        ReasoningDelta(0, " not?"),
        PartDelta(0, Reasoning("Why not?", "summary")),
        TextDelta(1, "Yes."),
        STOP,
    ]


def test_what_is_signed_is_a_part_of_its_own() -> None:
    assert events_of(
        chunk({"text": "a"}),
        chunk({"text": "b", "thoughtSignature": "s1"}),
        chunk({"text": "c"}),
        chunk({"text": "d", "thought": True, "thoughtSignature": "s2"}),
        chunk({"text": "", "thoughtSignature": "s3"}, {"text": ""}, finish="STOP"),
    ) == [
        TextDelta(0, "a"),
        TextDelta(1, "b"),
        PartDelta(1, Text("b", opaque=opaque("s1"))),
        TextDelta(2, "c"),
        ReasoningDelta(3, "d"),
        PartDelta(3, Reasoning("d", "summary", opaque("s2"))),
        PartDelta(4, Text("", opaque=opaque("s3"))),
        STOP,
    ]


def test_a_signature_is_kept_as_it_was_written() -> None:
    found = events_of(
        rb'{"candidates":[{"content":{"parts":[{"text":"a","thoughtSignature":"AB\u003d\/"}]},"finishReason":"STOP"}]}'
    )
    assert found[1] == PartDelta(0, Text("a", opaque=Opaque(r'"AB\u003d\/"', ORIGIN)))


def test_calls_come_whole_and_their_arguments_as_they_were_written() -> None:
    assert events_of(
        b'{"candidates":[{"content":{"parts":[{"functionCall":{"id":"a","name":"f","args":{"x": 1.50, "y":"\xc3\xa9"}},'
        b'"thoughtSignature":"s"}]}}],"responseId":"r"}',
        chunk({"functionCall": {"name": "g"}}, {"functionCall": {"name": "g", "args": None}}),
        chunk({"text": ""}, finish="STOP"),
    ) == [
        ToolCallDelta(0, "a", "f", '{"x": 1.50, "y":"é"}'),
        PartDelta(0, ToolCall("a", "f", '{"x": 1.50, "y":"é"}', opaque("s"))),
        ToolCallDelta(1, "call_r_2", "g", "{}"),
        ToolCallDelta(2, "call_r_3", "g", "{}"),
        FinishReason("tool_calls", "STOP"),
    ]


def test_calls_of_an_answer_without_an_id_are_named_after_its_words() -> None:
    one, other = (
        events_of({"candidates": [{"content": {"parts": [{"functionCall": {"name": name}}]}, "finishReason": "STOP"}]})
        for name in ("f", "g")
    )
    assert (one[0].id, other[0].id) == ("call_2b2fbc9d_1", "call_25c8544c_1")  # type: ignore[union-attr]


def test_files_and_parts_of_other_kinds_are_kept() -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "1"}}
    thought = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thought": True}
    lone = {"thoughtSignature": "s"}
    assert events_of(
        chunk(
            {"text": "a"}, code, {}, {"inlineData": {"mimeType": "image/png", "data": "iVBO"}, "thoughtSignature": "s"}
        ),
        chunk(thought, lone, {"functionCall": {}}, {"text": "b"}, finish="STOP"),
    ) == [
        TextDelta(0, "a"),
        PartDelta(1, Custom(opaque(code))),
        PartDelta(2, File("image/png", Base64Source(Raw(b'"iVBO"')), opaque=opaque("s"))),
        PartDelta(3, Custom(opaque(thought))),
        PartDelta(4, Custom(opaque(lone))),
        PartDelta(5, Custom(opaque({"functionCall": {}}))),
        TextDelta(6, "b"),
        STOP,
    ]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("MISSING_THOUGHT_SIGNATURE", "error"),
        ("SOMETHING_NEW", "other"),
        ("stop", "other"),
    ],
)
def test_an_end_is_told_in_our_words_and_in_the_provider_s(raw: str, reason: Any) -> None:
    assert events_of(chunk(finish=raw)) == [FinishReason(reason, raw)]


def test_an_unusual_end_is_explained() -> None:
    found = events_of(chunk(finish="MALFORMED_FUNCTION_CALL", finishMessage="Malformed: print(1)"))
    assert found == [Warning("finish_message", "Malformed: print(1)"), FinishReason("error", "MALFORMED_FUNCTION_CALL")]
    assert events_of(chunk(finish="STOP", finishMessage="Model generated function call(s).")) == [STOP]


def test_a_question_that_is_blocked_ends_the_answer() -> None:
    feedback = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 5}}
    assert events_of(feedback) == [
        UsageDelta(input_tokens=5, output_tokens=0),
        FinishReason("content_filter", "PROHIBITED_CONTENT"),
    ]


def test_only_the_first_of_several_answers_counts() -> None:
    other = {"index": 1, "content": {"parts": [{"text": "b"}]}, "finishReason": "SAFETY"}
    first = {"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}
    assert events_of({"candidates": [other, first]}) == [TextDelta(0, "a"), STOP]


@pytest.mark.parametrize("end", [b"", b"[DONE]", b" ", b'{"candidates":[]}', b'{"candidates":[{"content":{}}'])
def test_what_follows_the_answer_changes_nothing(end: bytes) -> None:
    assert events_of(chunk({"text": "a"}, finish="STOP"), end) == [TextDelta(0, "a"), STOP]


def test_fields_of_the_wrong_type_count_as_missing() -> None:
    odd = {
        "candidates": [{"index": "x", "content": {"parts": [7, {"text": "a", "thought": 3}]}, "finishReason": "STOP"}]
    }
    assert events_of(odd) == [TextDelta(0, "a"), STOP]


@pytest.mark.parametrize(
    ("frames", "type_", "seen"),
    [
        ([chunk({"text": "a"})], "stream_interrupted", [TextDelta(0, "a")]),
        ([], "stream_interrupted", []),
        ([chunk({"text": "a"}), b'{"candidates":[{"con'], "stream_interrupted", [TextDelta(0, "a")]),
        ([b"[{"], "stream_interrupted", []),
        ([{"error": {"code": 503, "message": "Busy.", "status": "UNAVAILABLE"}}], "provider_overloaded", []),
        ([b'[{"error":{"code":429,"message":"Slow.","status":"RESOURCE_EXHAUSTED"}}\n]'], "rate_limited", []),
        ([chunk({"text": "a"}) | {"error": {"code": 500, "message": "Oh."}}], "server_error", [TextDelta(0, "a")]),
        ([b'{"a":}'], "malformed_response", []),
    ],
)
def test_a_failure_comes_after_what_was_said(frames: list[Any], type_: str, seen: list[Any]) -> None:
    events: list[Any] = []
    decoder = DIALECT.decode_stream(aim())

    def read() -> None:
        for frame in frames:
            for event in decoder.feed(Frame(frame if isinstance(frame, bytes) else msgspec.json.encode(frame))):
                events.append(event)  # noqa: PERF402 - what came before the failure counts
        decoder.close()

    with pytest.raises(SidecarError) as caught:
        read()
    assert (caught.value.type, events) == (type_, seen)


def test_a_stream_that_came_as_an_array_is_read() -> None:
    data = json.dumps([chunk({"text": "a"}), chunk({"text": "b"}, finish="STOP")]).encode()
    whole = [TextDelta(0, "a"), TextDelta(0, "b"), STOP]
    assert events_of(data) == whole
    assert list(DIALECT.decode_answer(data, aim()).events) == whole


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html>", b'{"usageMetadata":{"promptTokenCount":3}}'])
def test_an_answer_without_a_message_is_refused(body: bytes) -> None:
    with pytest.raises(SidecarError) as caught:
        DIALECT.decode_answer(body, aim())
    assert caught.value.type == "malformed_response"


def test_a_whole_answer_that_does_not_say_why_it_ends_is_no_success() -> None:
    found = DIALECT.decode_answer(msgspec.json.encode(chunk({"text": "a"})), aim()).events
    assert found == (TextDelta(0, "a"), FinishReason("other"))


REQUEST = HttpRequest("/models/m-1:streamGenerateContent?alt=sse", b'{"contents": [1.50],"generationConfig":{}}')


def part_of_an_answer(text: str, token: str | None, thoughts: int, output: int) -> Frame:
    usage = {"promptTokenCount": 10, "thoughtsTokenCount": thoughts, "candidatesTokenCount": output}
    more = {"continuationToken": token} if token else {}
    finish = "CONTINUATION" if token else "STOP"
    return Frame(msgspec.json.encode(chunk({"text": text}, finish=finish, usage=usage, **more)))


def test_an_answer_in_several_requests_reads_as_one() -> None:
    decoder = DIALECT.decode_stream(aim())
    events = [*decoder.feed(part_of_an_answer("One, ", "t1", 3, 5)), *decoder.close()]
    second = decoder.follow_up(REQUEST)
    assert second is not None
    assert (second.path, msgspec.json.decode(second.body)) == (
        REQUEST.path,
        {"contents": [1.5], "generationConfig": {}, "continuationToken": "t1"},
    )
    assert b"1.50" in second.body
    events += [*decoder.feed(part_of_an_answer("two, ", "t2", 0, 6)), *decoder.close()]
    third = decoder.follow_up(second)
    assert third is not None
    assert msgspec.json.decode(third.body)["continuationToken"] == "t2"
    events += [*decoder.feed(part_of_an_answer("three.", None, 1, 7)), *decoder.close()]
    assert decoder.follow_up(third) is None
    assert events == [
        TextDelta(0, "One, "),
        UsageDelta(input_tokens=10, output_tokens=8, reasoning_tokens=3),
        TextDelta(0, "two, "),
        UsageDelta(input_tokens=10, output_tokens=14, reasoning_tokens=3),
        TextDelta(0, "three."),
        UsageDelta(input_tokens=10, output_tokens=22, reasoning_tokens=4),
        STOP,
    ]


def test_a_further_part_that_breaks_off_is_interrupted() -> None:
    decoder = DIALECT.decode_stream(aim())
    list(decoder.feed(part_of_an_answer("One, ", "t1", 3, 5)))
    decoder.close()
    assert decoder.follow_up(REQUEST) is not None
    with pytest.raises(SidecarError) as caught:
        decoder.close()
    assert caught.value.type == "stream_interrupted"


def test_an_answer_that_cannot_be_continued_pauses() -> None:
    decoder = DIALECT.decode_stream(aim())
    list(decoder.feed(Frame(msgspec.json.encode(chunk({"text": "a"}, finish="CONTINUATION")))))
    assert list(decoder.close()) == [FinishReason("pause", "CONTINUATION")]
    assert decoder.follow_up(REQUEST) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.lists(
    st.dictionaries(
        st.sampled_from(["text", "thought", "thoughtSignature", "functionCall", "inlineData", "executableCode"]),
        JSON | st.fixed_dictionaries({"name": JSON, "args": JSON, "id": JSON, "data": JSON, "mimeType": JSON}),
    )
    | JSON,
    max_size=4,
)
CANDIDATES = st.fixed_dictionaries(
    {},
    optional={
        "index": JSON,
        "content": st.fixed_dictionaries({"parts": PARTS}) | JSON,
        "finishReason": st.sampled_from(["STOP", "CONTINUATION", "NEW"]) | JSON,
        "finishMessage": JSON,
        "continuationToken": JSON,
        "groundingMetadata": st.fixed_dictionaries({"groundingChunks": JSON, "groundingSupports": JSON}) | JSON,
        "citationMetadata": JSON,
        "urlContextMetadata": JSON,
    },
)
CHUNKS = st.fixed_dictionaries(
    {},
    optional={
        "candidates": st.lists(CANDIDATES, max_size=2) | JSON,
        "usageMetadata": st.dictionaries(st.sampled_from(["promptTokenCount", "thoughtsTokenCount"]), JSON) | JSON,
        "promptFeedback": st.fixed_dictionaries({"blockReason": JSON}) | JSON,
        "responseId": JSON,
        "error": JSON,
    },
)


def read_anything(frames: list[bytes]) -> None:
    """Read frames to the end; nothing but a `SidecarError` may stop that."""
    decoder = DIALECT.decode_stream(aim())
    try:
        for frame in frames:
            list(decoder.feed(Frame(frame)))
        list(decoder.close())
        decoder.follow_up(REQUEST)
    except SidecarError:
        return


@given(st.lists(CHUNKS | JSON, max_size=3))
def test_any_json_is_read_or_refused(values: list[Any]) -> None:
    read_anything([json.dumps(value).encode() for value in values])


@given(st.lists(st.binary(max_size=30) | st.sampled_from([b'{"candidates":[{"content":', b"1e999", b"]"]), max_size=3))
def test_any_bytes_are_read_or_refused(frames: list[bytes]) -> None:
    read_anything(frames)
    read_anything([b'{"candidates":[{"content":{"parts":[{"text":"' + b"".join(frames) + b'"}]}}]}'])
    read_anything([b'{"usageMetadata":{"promptTokenCount":' + b"".join(frames) + b"}}"])


def test_json_nested_without_end_is_refused() -> None:
    read_anything([b"[" * 900 + b"{}" + b"]" * 900])
    read_anything([b'{"error":' * 100_000, b'{"candidates":' + b"[" * 100_000 + b"]" * 100_000 + b"}"])

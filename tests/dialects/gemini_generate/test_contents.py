"""Conversations written as contents."""

from typing import Any

import pytest
from generate_dialect import ELSEWHERE, THIRD, aim, body_of, events_of, opaque, written
from msgspec import Raw

from sidecar.schema.chat import (
    Base64Source,
    CacheHint,
    Custom,
    File,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    UrlSource,
)
from sidecar.schema.errors import SidecarError
from sidecar.transcript import Transcript

UNVERIFIED = "skip_thought_signature_validator"
DROPPED = "Provider data in the conversation comes from another model and was left out."


def contents(*messages: Message, traits: Any = None) -> list[Any]:
    return list(body_of(traits, messages=list(messages))["contents"])


def user(*parts: Part) -> Message:
    return Message("user", list(parts))


def assistant(*parts: Part) -> Message:
    return Message("assistant", list(parts))


def file(media_type: str, data: str = "AAAA", **members: Any) -> File:
    return File(media_type, Base64Source(Raw(f'"{data}"'.encode())), **members)


def inline(media_type: str) -> dict[str, Any]:
    return {"inlineData": {"mimeType": media_type, "data": "AAAA"}}


def test_speakers_alternate_and_the_user_begins() -> None:
    assert contents(
        Message("assistant", "Hello."), Message("user", "a"), Message("user", "b"), Message("assistant", "c")
    ) == [
        {"role": "user", "parts": [{"text": "Continue."}]},
        {"role": "model", "parts": [{"text": "Hello."}]},
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
        {"role": "model", "parts": [{"text": "c"}]},
    ]


def test_a_turn_of_which_nothing_is_left_is_not_written() -> None:
    found = contents(Message("user", "a"), assistant(Reasoning("Hm.")), Message("user", "b"))
    assert found == [{"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}]


def test_files_are_written_by_their_kind() -> None:
    parts = (
        file("image/PNG; q=1"),
        file("application/pdf"),
        file("audio/wav"),
        file("video/mp4"),
        file("text/plain", "aGk=", filename="a.txt"),
    )
    assert contents(user(*parts))[0]["parts"] == [
        *map(inline, ("image/png", "application/pdf", "audio/wav", "video/mp4")),
        {"text": "a.txt\n\nhi"},
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://generativelanguage.googleapis.com/v1beta/files/abc-1",
        "https://llm.test/v1beta/files/abc",
        "https://www.youtube.com/watch?v=abc",
        "https://youtu.be/abc",
        "gs://bucket/a.mp4",
    ],
)
def test_addresses_that_the_provider_reads_are_passed_on(url: str) -> None:
    part = {"fileData": {"mimeType": "video/mp4", "fileUri": url}}
    assert contents(user(File("video/mp4", UrlSource(url))))[0]["parts"] == [part]


@pytest.mark.parametrize(
    "url", ["https://example.com/a.png", "http://www.youtube.com/watch?v=a", "https://evil.test/?https://youtu.be/a"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(SidecarError) as caught:
        contents(user(File("image/png", UrlSource(url))))
    assert caught.value.type == "unsupported_feature"


def test_a_file_that_no_model_reads_is_refused() -> None:
    with pytest.raises(SidecarError) as caught:
        contents(user(file("application/zip")))
    assert caught.value.type == "unsupported_feature"


def test_results_answer_their_calls_in_order_and_by_name() -> None:
    calls = assistant(Text("Looking."), ToolCall("1", "f", '{"x": 1.50}'), ToolCall("2", "g", " "))
    results = Message("tool", [ToolResult("2", "plain"), ToolResult("1", '{"t": 1.50}')])
    assert contents(Message("user", "hi"), calls, results, Message("user", "so?"))[1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "Looking."},
                {"functionCall": {"id": "1", "name": "f", "args": {"x": 1.5}}},
                {"functionCall": {"id": "2", "name": "g", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "1", "name": "f", "response": {"t": 1.5}}},
                {"functionResponse": {"id": "2", "name": "g", "response": {"output": "plain"}}},
                {"text": "so?"},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("result", "response"),
    [
        (ToolResult("1", "[1, 2]"), {"output": "[1, 2]"}),
        (ToolResult("1", ""), {"output": ""}),
        (ToolResult("1", [Text("a"), Text(""), Text("b")]), {"output": "a\nb"}),
        (ToolResult("1", '{"a":1}', is_error=True), {"error": '{"a":1}'}),
        (ToolResult("1", [file("text/csv", "YSxi")]), {"output": "a,b"}),
    ],
)
def test_a_result_is_an_object(result: ToolResult, response: Any) -> None:
    found = contents(assistant(ToolCall("1", "f", "{}")), Message("tool", [result]))
    assert found[-1]["parts"] == [{"functionResponse": {"id": "1", "name": "f", "response": response}}]


def test_numbers_go_back_as_they_were_written() -> None:
    from sidecar.dialects.gemini_generate import DIALECT
    from sidecar.schema.chat import ChatRequest

    call, result = ToolCall("1", "f", '{"x": 1.50}'), ToolResult("1", '{"y":1e2}')
    messages = [assistant(call), Message("tool", [result])]
    body = DIALECT.encode_request(ChatRequest(messages=messages), aim()).body
    assert b'"args":{"x": 1.50}' in body
    assert b'"response":{"y":1e2}' in body


def test_files_in_results_are_part_of_them_where_the_model_takes_that() -> None:
    result = ToolResult("1", [Text("See."), file("image/png"), file("audio/wav")])
    messages = (assistant(ToolCall("1", "f", "{}")), Message("tool", [result]), Message("user", "so?"))
    label = {"text": "Files that belong to the result of the tool call 1:"}
    response = {"id": "1", "name": "f", "response": {"output": "See."}}
    assert contents(*messages, traits=THIRD)[-1]["parts"] == [
        {"functionResponse": response | {"parts": [inline("image/png")]}},
        label,
        inline("audio/wav"),
        {"text": "so?"},
    ]
    assert contents(*messages)[-1]["parts"] == [
        {"functionResponse": response},
        label,
        inline("image/png"),
        inline("audio/wav"),
        {"text": "so?"},
    ]


def test_a_result_that_is_a_file_alone_says_so() -> None:
    messages = (assistant(ToolCall("1", "f", "{}")), Message("tool", [ToolResult("1", [file("image/png")])]))
    assert contents(*messages)[-1]["parts"][0]["functionResponse"]["response"] == {
        "output": "The result is in the files that follow."
    }


def test_arguments_that_are_no_object_are_sent_as_words() -> None:
    body, warnings = written(aim(), messages=[assistant(ToolCall("1", "f", '{"x": '))])
    assert body["contents"][1]["parts"][0]["functionCall"]["args"] == {"arguments": '{"x": '}
    assert warnings == [
        "A tool call of the conversation has no result; the model was told so.",
        "The arguments of a tool call that are no JSON object were sent as words.",
    ]


def test_signatures_go_back_on_the_parts_that_they_came_with() -> None:
    parts = (
        Reasoning("Hm.", "summary", opaque("s1")),
        Reasoning("Hm.", "summary"),
        Text("a", opaque=opaque("s2")),
        Text("b"),
        Text("", opaque=opaque("s3")),
        Refusal("No."),
        ToolCall("1", "f", "{}", opaque("s4")),
        ToolCall("2", "f", "{}"),
        file("image/png", opaque=opaque("s5")),
        Custom(opaque({"executableCode": {"code": "1"}})),
        Custom(opaque({"groundingMetadata": {}})),
    )
    assert contents(assistant(*parts), traits=THIRD)[1]["parts"] == [
        {"text": "Hm.", "thought": True, "thoughtSignature": "s1"},
        {"text": "a", "thoughtSignature": "s2"},
        {"text": "b"},
        {"text": "", "thoughtSignature": "s3"},
        {"text": "No."},
        {"functionCall": {"id": "1", "name": "f", "args": {}}, "thoughtSignature": "s4"},
        {"functionCall": {"id": "2", "name": "f", "args": {}}},
        inline("image/png") | {"thoughtSignature": "s5"},
        {"executableCode": {"code": "1"}},
    ]


def test_the_first_call_of_a_turn_by_another_model_is_marked_where_calls_must_be_signed() -> None:
    parts = (
        Text("a", opaque=opaque("s", ELSEWHERE)),
        ToolCall("1", "f", "{}", opaque("s", ELSEWHERE)),
        ToolCall("2", "f", "{}"),
        Custom(opaque({"x": 1}, ELSEWHERE)),
    )
    first = {"functionCall": {"id": "1", "name": "f", "args": {}}}
    second = {"functionCall": {"id": "2", "name": "f", "args": {}}}
    body, warnings = written(aim(THIRD), messages=[assistant(*parts)])
    signed = first | {"thoughtSignature": UNVERIFIED}
    assert body["contents"][1]["parts"] == [{"text": "a"}, signed, second]
    assert DROPPED in warnings
    assert body_of(messages=[assistant(*parts)])["contents"][1]["parts"] == [{"text": "a"}, first, second]


def test_signatures_that_were_refused_stay_behind() -> None:
    part = ToolCall("1", "f", "{}", opaque("s"))
    body, warnings = written(aim(lacks=frozenset({"opaque"})), messages=[assistant(part)])
    assert body["contents"][1]["parts"][0]["thoughtSignature"] == UNVERIFIED
    assert DROPPED in warnings


def test_what_was_said_goes_back_as_it_came() -> None:
    parts = [
        {"text": "Why?", "thought": True, "thoughtSignature": "s1"},
        {"text": "a"},
        {"executableCode": {"code": "1"}},
        {"functionCall": {"id": "c", "name": "f", "args": {"x": [1]}}, "thoughtSignature": "s2"},
        {"functionCall": {"id": "d", "name": "f", "args": {}}},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "s3"},
        {"text": "", "thoughtSignature": "s4"},
    ]
    transcript = Transcript()
    for event in events_of({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}):
        transcript.add(event)
    assert contents(Message("user", "hi"), transcript.message(), traits=THIRD)[1]["parts"] == parts


def test_opaque_data_that_is_no_json_is_refused() -> None:
    with pytest.raises(SidecarError) as caught:
        contents(assistant(Text("a", opaque=Opaque("{", aim().origin))))
    assert caught.value.type == "invalid_params"


def test_marks_of_what_is_to_be_cached_are_left_out() -> None:
    hint = CacheHint()
    messages = [Message("system", [Text("s", cache=hint)]), user(Text("a", cache=hint), file("image/png", cache=hint))]
    body, warnings = written(aim(), messages=messages)
    assert "cache" not in str(body)
    assert warnings == ["The provider decides by itself what it caches; it was left out."]

"""Streams and answers of Chat Completions, in the forms that servers give them."""

import json
from typing import Any

import pytest
from chat_dialect import ORIGIN, aim, delta, events_of

from sidecar.dialects.contract import Answer
from sidecar.dialects.openai_chat import DIALECT
from sidecar.framing.frame import Frame
from sidecar.schema.chat import Custom, FinishReason, Opaque, Reasoning, Text
from sidecar.schema.citations import UrlCitation
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import (
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    UsageDelta,
)

STOP = FinishReason("stop", "stop")
DONE = b"[DONE]"


def error_of(*chunks: Any) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        events_of(*chunks)
    return caught.value


def test_words_become_deltas_and_the_finish_reason_comes_last() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    chunks = [delta(role="assistant", content=""), delta(content="Hel"), delta(content="lo"), delta("stop")]
    assert events_of(*chunks, {"choices": [], "usage": usage}, DONE) == [
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        UsageDelta(input_tokens=3, output_tokens=2),
        STOP,
    ]


@pytest.mark.parametrize(
    "oddity",
    [
        b"",
        b"  ",
        b"[DO",
        {},
        {"choices": None},
        {"choices": []},
        {"choices": [None]},
        {"choices": "none", "usage": "none"},
        {"choices": [{"delta": None}]},
        {"choices": [{"index": 0, "delta": {"role": "", "content": None, "tool_calls": None, "refusal": False}}]},
        {"choices": [{"delta": {"tool_calls": [], "content": 7, "reasoning": {"x": 1}}, "finish_reason": ""}]},
        {"choices": [{"delta": {"content": []}, "finish_reason": None}], "usage": {}, "error": None},
        {"choices": [], "id": "", "model": "", "prompt_filter_results": [{"prompt_index": 0}]},
        {"choices": [{"delta": {}, "content_filter_results": {"hate": {"filtered": False}}}]},
        {"choices": [{"index": 1, "delta": {"content": "another answer"}, "finish_reason": "length"}]},
        {"choices": [{"delta": {}}], "prompt_progress": {"total": 9, "cache": 0, "processed": 4, "time_ms": 7}},
        {"choices": [{"delta": {"images": [], "audio": None, "annotations": []}}], "timings": {"predicted_n": 1}},
        {"choices": [{"delta": {"images": 7, "audio": "x"}}], "citations": 7, "search_results": [7]},
    ],
    ids=str,
)
def test_what_says_nothing_changes_nothing(oddity: Any) -> None:
    chunks = [oddity, delta(content="a"), oddity, delta("stop"), oddity, DONE]
    assert events_of(*chunks) == [TextDelta(0, "a"), STOP]


@pytest.mark.parametrize(
    "ending", [[DONE], [], [b"[DONE] "], [b"[DONE]}", b"{"], [b'{"choices":[],"usa'], [DONE, DONE]]
)
def test_an_answer_with_a_finish_reason_may_end_in_any_way(ending: list[bytes]) -> None:
    assert events_of(delta("stop", content="a"), *ending) == [TextDelta(0, "a"), STOP]


def test_the_decoder_tells_when_the_answer_is_there_and_when_the_stream_is_over() -> None:
    decoder = DIALECT.decode_stream(aim())
    states = []
    for data in (b'{"choices":[{"delta":{"content":"a"}}]}', b'{"choices":[{"finish_reason":"stop"}]}', DONE):
        list(decoder.feed(Frame(data)))
        states.append((decoder.settled, decoder.finished))
    assert states == [(False, False), (True, False), (True, True)]
    assert decoder.close() == []


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [delta(content="a")],
        [delta("", content="a")],
        [delta(content="a"), b'{"choices":[{"de'],
        [delta(content="a"), b'{"usage":{"prompt_tokens":1.'],
        [DONE],
    ],
    ids=str,
)
def test_an_answer_without_a_finish_reason_is_interrupted(chunks: list[Any]) -> None:
    assert error_of(*chunks).type == "stream_interrupted"


def test_the_words_before_an_interruption_are_delivered() -> None:
    decoder = DIALECT.decode_stream(aim())
    assert decoder.feed(Frame(b'{"choices":[{"delta":{"content":"a"}}]}')) == [TextDelta(0, "a")]
    with pytest.raises(SidecarError):
        decoder.close()


@pytest.mark.parametrize("data", [b"hello", b'{"choices": x}', b"[1]", b"<html>}"])
def test_an_event_that_is_not_json_is_malformed(data: bytes) -> None:
    assert error_of(data).type in ("malformed_response", "stream_interrupted")
    assert error_of(b'{"choices": x}').type == "malformed_response"


def test_broken_characters_are_replaced() -> None:
    lone = rb'{"choices":[{"delta":{"content":"\ud83d a \\ud83d \ud83d\ude00"}}]}'
    assert events_of(lone, delta("stop")) == [TextDelta(0, "\ufffd a \\ud83d \U0001f600"), STOP]
    assert events_of(b'{"choices":[{"delta":{"content":"\xff"}}]}', delta("stop")) == [TextDelta(0, "\ufffd"), STOP]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("STOP", "stop"),
        ("length", "length"),
        ("model_length", "length"),
        ("max_tokens", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("error", "error"),
        ("insufficient_system_resource", "error"),
        ("", "error"),
        ("a new one", "other"),
    ],
)
def test_finish_reasons_are_translated_and_kept(raw: str, reason: Any) -> None:
    assert events_of(delta(raw, content="a"), DONE)[-1] == FinishReason(reason, raw)


def test_the_end_without_a_finish_reason_is_an_error_unless_tools_are_called() -> None:
    call = [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]
    assert events_of(delta(content="a"), DONE)[-1] == FinishReason("error", None)
    assert events_of(delta(tool_calls=call), DONE)[-1] == FinishReason("tool_calls", None)
    assert events_of(delta("", tool_calls=call), DONE)[-1] == FinishReason("tool_calls", "")
    assert events_of(delta("stop", tool_calls=call))[-1] == FinishReason("tool_calls", "stop")
    assert events_of(delta("length", tool_calls=call))[-1] == FinishReason("length", "length")


def test_a_finish_reason_may_be_repeated_and_followed_by_content() -> None:
    chunks = [delta("stop", content="a"), delta("stop"), delta("", content="b"), delta(content="c"), DONE]
    assert events_of(*chunks) == [TextDelta(0, "a"), TextDelta(0, "b"), TextDelta(0, "c"), STOP]


def test_a_refusal_is_a_part_and_a_reason() -> None:
    chunks = [delta(refusal="I "), delta(refusal="can't"), delta("stop")]
    assert events_of(*chunks) == [RefusalDelta(0, "I "), RefusalDelta(0, "can't"), FinishReason("refusal", "stop")]


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content", "thinking"])
def test_reasoning_has_many_names(name: str) -> None:
    chunks = [delta(**{name: "Hm"}), delta(**{name: ".", "content": "A"}), delta(**{name: None, "content": "b"})]
    assert events_of(*chunks, delta("stop")) == [
        ReasoningDelta(0, "Hm"),
        ReasoningDelta(0, "."),
        TextDelta(1, "A"),
        TextDelta(1, "b"),
        STOP,
    ]


def test_reasoning_told_twice_counts_once() -> None:
    assert events_of(delta("stop", reasoning="Hm", reasoning_content="Hm")) == [ReasoningDelta(0, "Hm"), STOP]


def test_content_may_be_a_list_of_parts() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}], "closed": True}
    parts = [thinking, {"type": "text", "text": "A"}, "b", {"type": "reference", "reference_ids": [1]}, 7]
    assert events_of(delta(content=parts), delta("stop", content=[{"thinking": "!"}, {"refusal": "no"}])) == [
        ReasoningDelta(0, "Hm"),
        TextDelta(1, "A"),
        TextDelta(1, "b"),
        PartDelta(2, Custom(Opaque('{"type":"reference","reference_ids":[1]}', ORIGIN))),
        ReasoningDelta(0, "!"),
        RefusalDelta(3, "no"),
        FinishReason("refusal", "stop"),
    ]


def details_of(events: list[StreamEvent]) -> tuple[Reasoning, Any]:
    part = next(event.part for event in events if isinstance(event, PartDelta))
    assert isinstance(part, Reasoning)
    assert part.opaque is not None
    assert part.opaque.origin == ORIGIN
    return part, json.loads(part.opaque.data)


def test_reasoning_details_grow_by_type_and_index_and_come_back_whole() -> None:
    text = {"type": "reasoning.text", "index": 0, "format": "f-1"}
    key = {"type": "reasoning.encrypted", "index": 0}
    events = events_of(
        delta(reasoning_details=[text | {"text": "We "}]),
        delta(reasoning_details=[text | {"text": "need"}]),
        delta(reasoning_details=[text | {"text": None, "signature": "s=="}, key | {"id": "t1", "data": "x"}]),
        delta(reasoning_details=[key | {"id": "t2", "data": "y"}, {"type": "reasoning.new", "z": 1.50}]),
        delta("stop", content="A", reasoning_details=[]),
    )
    assert events[:3] == [ReasoningDelta(0, "We "), ReasoningDelta(0, "need"), TextDelta(1, "A")]
    part, details = details_of(events)
    assert (part.text, part.form) == ("We need", "full")
    assert details == [
        text | {"text": "We need", "signature": "s=="},
        key | {"id": "t1", "data": "x"},
        key | {"id": "t2", "data": "y"},
        {"type": "reasoning.new", "z": 1.5},
    ]


def test_reasoning_may_be_a_summary_or_withheld() -> None:
    summary = {"type": "reasoning.summary", "summary": "In short", "index": 0}
    part, details = details_of(events_of(delta("stop", reasoning="In short", reasoning_details=[summary])))
    assert (part.text, part.form, details) == ("In short", "summary", [summary])
    hidden = {"type": "reasoning.encrypted", "data": "x", "index": 0}
    events = events_of(delta(reasoning_details=[hidden]), delta("stop", content="A"))
    assert events == [
        TextDelta(1, "A"),
        PartDelta(
            0, Reasoning("", "redacted", Opaque('[{"type":"reasoning.encrypted","data":"x","index":0}]', ORIGIN))
        ),
        STOP,
    ]


def test_citations_come_with_the_whole_text_at_the_end() -> None:
    page = {"url": "https://a.test", "title": "A", "start_index": 0, "end_index": 2}
    notes = [{"type": "url_citation", "url_citation": page}, {"type": "other"}, {"url_citation": {"url": None}}]
    cited = Text("Hello", [UrlCitation("https://a.test", "A", start=0, end=2)])
    assert events_of(delta(content="Hel"), delta("stop", content="lo", annotations=notes)) == [
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        PartDelta(0, cited),
        STOP,
    ]
    assert events_of(delta("stop", annotations=notes), DONE) == [STOP]


@pytest.mark.parametrize(
    ("chunk", "error_type", "message"),
    [
        ({"error": {"message": "Oh", "type": "server_error"}}, "server_error", "Oh"),
        ({"error": {"message": "Slow", "code": "429"}}, "rate_limited", "Slow"),
        ({"error": {"message": "Gone", "code": 502}, "choices": [{"delta": {}}]}, "server_error", "Gone"),
        ({"error": "boom"}, "server_error", "boom"),
        ({"code": "server_is_overloaded", "message": "Full"}, "provider_overloaded", "Full"),
        ({"object": "error", "message": "Bad", "code": 400}, "request_rejected", "Bad"),
        ({"x_groq": {"error": "Failed"}, "choices": []}, "server_error", "Failed"),
        ({"error": {"message": "prompt is too long"}}, "context_length_exceeded", "prompt is too long"),
        ({"error": {"message": "", "code": "content_filter"}}, "content_filtered", None),
        (
            {"error": {"message": {"detail": [{"msg": "Bad", "loc": ["a", 0]}]}, "code": 422}},
            "request_rejected",
            "a.0: Bad",
        ),
    ],
)
def test_an_error_in_the_stream_is_raised_for_what_it_is(chunk: Any, error_type: str, message: str | None) -> None:
    error = error_of(delta(content="a"), chunk, DONE)
    assert error.type == error_type
    assert message is None or error.message == message


def test_an_event_named_error_is_an_error_whatever_it_holds() -> None:
    decoder = DIALECT.decode_stream(aim())
    for data, message in ((b'{"message":"Oh","code":"x"}', "Oh"), (b"plain words", "The provider failed.")):
        with pytest.raises(SidecarError) as caught:
            decoder.feed(Frame(data, "error"))
        assert (caught.value.type, caught.value.message) == ("server_error", message)


def test_what_comes_with_an_error_is_delivered_first() -> None:
    decoder = DIALECT.decode_stream(aim())
    events = iter(decoder.feed(Frame(b'{"error":{"code":400,"message":"m"},"choices":[],"usage":{"prompt_tokens":1}}')))
    assert next(events) == UsageDelta(input_tokens=1)
    with pytest.raises(SidecarError):
        next(events)


def test_a_whole_answer_gives_the_same_events_at_once() -> None:
    message = {
        "role": "assistant",
        "content": "Hi",
        "reasoning": "Hm",
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}],
    }
    choices = [{"message": message, "finish_reason": "stop"}]
    body = b" \n\n " + json.dumps({"choices": choices, "usage": {"prompt_tokens": 1, "cost": 8.5e-05}}).encode()
    assert DIALECT.decode_answer(body, aim(cost_field=True)) == Answer(
        (
            ReasoningDelta(0, "Hm"),
            TextDelta(1, "Hi"),
            UsageDelta(input_tokens=1),
            ToolCallDelta(2, "c", "f", ""),
            ToolCallDelta(2, arguments="{}"),
            FinishReason("tool_calls", "stop"),
        ),
        "0.000085",
    )


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        (b"", "malformed_response"),
        (b"<html>", "malformed_response"),
        (b"{}", "malformed_response"),
        (b"[]", "malformed_response"),
        (b'{"choices":[]}', "malformed_response"),
        (b'{"choices":[{"mess', "stream_interrupted"),
        (b'{"error":{"code":402,"message":"Insufficient credits"}}', "insufficient_quota"),
        (b'{"error":"model is loading"}', "server_error"),
    ],
)
def test_a_body_that_is_no_answer_is_an_error(body: bytes, error_type: str) -> None:
    with pytest.raises(SidecarError) as caught:
        DIALECT.decode_answer(body, aim())
    assert caught.value.type == error_type

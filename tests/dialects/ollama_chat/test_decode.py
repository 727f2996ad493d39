"""Streams and answers in the server's own form."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from chat_dialect import aim
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from sidecar.dialects.contract import Answer, HttpResponse, ModelPage
from sidecar.dialects.ollama_chat import DIALECT
from sidecar.framing.frame import Frame
from sidecar.schema.chat import Base64Source, File, FinishReason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import PartDelta, ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta, UsageDelta
from sidecar.schema.models import ModelInfo

STOP = FinishReason("stop", "stop")
DONE = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}


def line(**message: Any) -> dict[str, Any]:
    return {"model": "m", "created_at": "2026-11-01T10:00:00.123456Z", "message": message, "done": False}


def events_of(*lines: Any) -> list[StreamEvent]:
    decoder = DIALECT.decode_stream(aim())
    events: list[StreamEvent] = []
    for one in lines:
        events += decoder.feed(Frame(one if isinstance(one, bytes) else json.dumps(one).encode()))
    return [*events, *decoder.close()]


def error_of(*lines: Any) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        events_of(*lines)
    return caught.value


def test_words_become_deltas_and_the_last_line_tells_the_rest() -> None:
    last = DONE | {"prompt_eval_count": 26, "eval_count": 3, "total_duration": 5, "load_duration": 1}
    lines = [line(content="", thinking="Hm"), line(content="Hel"), line(content="lo"), last]
    assert events_of(*lines) == [
        ReasoningDelta(0, "Hm"),
        TextDelta(1, "Hel"),
        TextDelta(1, "lo"),
        UsageDelta(input_tokens=26, output_tokens=3),
        STOP,
    ]


def test_calls_come_whole_and_get_ids_of_their_own() -> None:
    def call(name: str, arguments: Any, **members: Any) -> Any:
        return {"function": {"name": name, "arguments": arguments, "index": 0}, **members}

    lines = [
        line(content="", tool_calls=[call("f", {"q": "é", "n": 1.5}, id="call_a"), call("f", {}, id="call_a")]),
        line(content="", tool_calls=[call("g", None), call("h", '{"a":1}'), {"function": None}, call("", {})]),
    ]
    events = events_of(*lines, DONE)
    assert events[:2] == [
        ToolCallDelta(0, "call_a", "f", json.dumps({"q": "é", "n": 1.5})),
        ToolCallDelta(1, "call_a_2", "f", "{}"),
    ]
    assert [(event.name, event.arguments) for event in events[2:4] if isinstance(event, ToolCallDelta)] == [
        ("g", "{}"),
        ("h", '{"a":1}'),
    ]
    ids = [event.id for event in events if isinstance(event, ToolCallDelta)]
    assert len(set(ids)) == 4
    assert events[-1] == FinishReason("tool_calls", "stop")
    later = [*events_of(line(tool_calls=[call("g", None)]) | {"created_at": "2026-11-01T10:00:09Z"}, DONE)]
    assert isinstance(later[0], ToolCallDelta)
    assert later[0].id not in ids


@pytest.mark.parametrize(
    ("raw", "finish"),
    [
        ("stop", FinishReason("stop", "stop")),
        ("length", FinishReason("length", "length")),
        ("load", FinishReason("other", "load")),
        (None, FinishReason("stop", None)),
        ("a new one", FinishReason("other", "a new one")),
    ],
)
def test_reasons_are_translated_and_kept(raw: str | None, finish: FinishReason) -> None:
    assert events_of(line(content="a"), {"done": True, "done_reason": raw})[-1] == finish


def test_pictures_are_files() -> None:
    events = events_of(line(content="", images=["iVBO"]), DONE)
    assert events == [PartDelta(0, File("image/*", Base64Source(Raw(b'"iVBO"')))), STOP]


@pytest.mark.parametrize(
    "oddity",
    [{}, {"message": None}, {"message": {"content": 7, "tool_calls": "x"}}, {"done": "yes"}, {"progress": 0.5}],
)
def test_what_says_nothing_changes_nothing(oddity: Any) -> None:
    assert events_of(oddity, line(content="a"), oddity, DONE, oddity) == [TextDelta(0, "a"), STOP]


def test_an_answer_without_its_last_line_is_interrupted() -> None:
    assert error_of().type == "stream_interrupted"
    assert error_of(line(content="a")).type == "stream_interrupted"
    assert error_of(line(content="a"), b'{"message":{"con').type == "stream_interrupted"


@pytest.mark.parametrize(
    ("error", "error_type"),
    [("model runner has unexpectedly stopped", "server_error"), ({"message": "Oh", "code": 429}, "rate_limited")],
)
def test_an_error_in_the_stream_is_raised(error: Any, error_type: str) -> None:
    raised = error_of(line(content="a"), {"error": error})
    assert raised.type == error_type
    assert raised.message in ("model runner has unexpectedly stopped", "Oh")


def test_errors_of_the_server_are_read() -> None:
    response = HttpResponse(404, {"content-type": "application/json"}, b'{"error":"model \\"m\\" not found"}')
    error = DIALECT.decode_error(response)
    assert (error.type, error.message) == ("model_not_found", 'model "m" not found')


def test_a_whole_answer_gives_the_same_events_at_once() -> None:
    body = json.dumps(DONE | {"message": {"content": "Hi", "thinking": "Hm"}, "eval_count": 2}).encode()
    wanted = (ReasoningDelta(0, "Hm"), TextDelta(1, "Hi"), UsageDelta(output_tokens=2), STOP)
    assert DIALECT.decode_answer(body, aim()) == Answer(wanted)
    for broken in (b"", b"<html>", b"[]", b"{}", b'{"message":{"content":"Hi"}}', b'{"message'):
        with pytest.raises(SidecarError) as caught:
            DIALECT.decode_answer(broken, aim())
        assert caught.value.type in ("malformed_response", "stream_interrupted")


def test_models_are_listed_by_their_tags() -> None:
    body = b'{"models":[{"name":"m:8b","model":"m:8b","size":7,"details":{"family":"m"}}]}'
    assert DIALECT.decode_models(body, "here") == ModelPage([ModelInfo(id="m:8b", provider="here", size_bytes=7)])
    assert DIALECT.models_path == "/api/tags"


def feed_all(pieces: Iterable[bytes]) -> None:
    framer, decoder = DIALECT.framer(), DIALECT.decode_stream(aim())
    for piece in pieces:
        for frame in framer.feed(piece):
            list(decoder.feed(frame))
    for frame in framer.close():
        list(decoder.feed(frame))
    list(decoder.close())


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "content": JSON,
        "thinking": JSON,
        "tool_calls": st.lists(st.fixed_dictionaries({}, optional={"id": JSON, "function": JSON}), max_size=3) | JSON,
        "images": JSON,
    },
)
LINES = st.fixed_dictionaries(
    {},
    optional={
        "message": MESSAGES | JSON,
        "done": st.booleans() | JSON,
        "done_reason": JSON,
        "error": JSON,
        "eval_count": JSON,
        "created_at": JSON,
    },
)


@given(st.lists(LINES, max_size=5))
def test_lines_of_any_content_give_events_or_an_error_of_ours(lines: list[Any]) -> None:
    try:
        feed_all(json.dumps(one).encode() + b"\n" for one in lines)
    except SidecarError:
        return


@given(st.lists(st.binary(max_size=30), max_size=5))
def test_any_bytes_give_events_or_an_error_of_ours(pieces: list[bytes]) -> None:
    try:
        feed_all(pieces)
    except SidecarError:
        return


@given(LINES | JSON)
def test_any_answer_gives_events_or_an_error_of_ours(body: Any) -> None:
    try:
        DIALECT.decode_answer(json.dumps(body).encode(), aim())
    except SidecarError:
        return

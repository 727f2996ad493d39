"""Streams as servers send them, whole and broken."""

from typing import Any

import pytest
from messages_dialect import STOP, STOPPED, delta, end, error_of, events_of, finish, frame, said, start
from recorded import AIM

from sidecar.dialects.anthropic_messages import DIALECT
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import ReasoningDelta, TextDelta


@pytest.mark.parametrize(
    "oddity",
    [
        b"",
        b"  ",
        b"[DONE]",
        b"[DO",
        {},
        {"type": None},
        {"type": "ping"},
        {"type": "unheard_of", "index": 0, "delta": {"text": "no"}},
        {"type": "message_start"},
        {"type": "message_start", "message": {"usage": {}}},
        {"type": "message_delta"},
        {"type": "message_delta", "delta": {"stop_reason": None}},
        {"type": "content_block_start", "index": 9},
        {"type": "content_block_start", "index": 9, "content_block": None},
        {"type": "content_block_stop", "index": 9},
        {"type": "content_block_stop"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 7}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "smell_delta", "smell": "sweet"}},
    ],
    ids=str,
)
def test_what_says_nothing_changes_nothing(oddity: Any) -> None:
    words = said("a")
    assert events_of(oddity, words[0], oddity, words[1], oddity, words[2], finish(), STOP, oddity) == [
        TextDelta(0, "a"),
        STOPPED,
    ]


def test_words_of_a_block_that_never_began_are_not_lost() -> None:
    assert events_of(
        delta(4, "thinking_delta", thinking="Hm."),
        delta(5, "text_delta", text="a"),
        {"type": "content_block_delta", "delta": {"text": "b"}},
        {"type": "content_block_delta", "delta": {"text": "c"}},
        finish(),
        STOP,
    ) == [ReasoningDelta(0, "Hm."), TextDelta(1, "a"), TextDelta(2, "b"), TextDelta(2, "c"), STOPPED]


def test_a_number_that_is_used_twice_begins_another_block() -> None:
    assert events_of(*said("a")[:2], *said("b"), finish(), STOP) == [TextDelta(0, "a"), TextDelta(1, "b"), STOPPED]


def test_empty_blocks_leave_no_gap() -> None:
    empty = [start(0, type="text", text=""), end(0), start(1, type="thinking", thinking=""), end(1)]
    assert events_of(*empty, *said("a", 2), finish(), STOP) == [TextDelta(0, "a"), STOPPED]


def test_broken_characters_are_replaced() -> None:
    lone = rb'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\ud83d a \ud83d\ude00"}}'
    wrong = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\xff"}}'
    assert events_of(said("")[0], lone, wrong, finish(), STOP) == [
        TextDelta(0, "\ufffd a \U0001f600"),
        TextDelta(0, "\ufffd"),
        STOPPED,
    ]


def test_the_decoder_tells_when_the_answer_is_there_and_when_the_stream_is_over() -> None:
    decoder = DIALECT.decode_stream(AIM)
    states = []
    for event in (*said("a"), finish(), STOP):
        list(decoder.feed(frame(event)))
        states.append((decoder.settled, decoder.finished))
    assert states == [(False, False)] * 3 + [(True, False), (True, True)]
    assert list(decoder.close()) == []
    assert list(decoder.feed(frame(said("b")[1]))) == []


@pytest.mark.parametrize("ending", [[], [b"[DONE]"], [b'{"type":"messa'], [STOP, b"{"], [STOP, STOP]], ids=str)
def test_an_answer_with_a_stop_reason_may_end_in_any_way(ending: list[Any]) -> None:
    assert events_of(*said("a"), finish(), *ending) == [TextDelta(0, "a"), STOPPED]


@pytest.mark.parametrize(
    "events",
    [
        [],
        [STOP],
        said("a"),
        [*said("a"), finish(None)],
        [*said("a"), b'{"type":"message_delta","delta":{"stop_reason":"end_turn"'],
        [*said("a"), b"[DONE]"],
    ],
    ids=str,
)
def test_an_answer_without_a_stop_reason_is_interrupted(events: list[Any]) -> None:
    assert error_of(*events).type == "stream_interrupted"


@pytest.mark.parametrize("data", [b"hello", b"[1]", b"7", b'"x"', b'{"type": x}', b"<html>}"])
def test_an_event_that_is_not_json_is_malformed(data: bytes) -> None:
    assert error_of(data).type == "malformed_response"


@pytest.mark.parametrize(
    ("kind", "error_type"),
    [
        ("overloaded_error", "provider_overloaded"),
        ("rate_limit_error", "rate_limited"),
        ("api_error", "server_error"),
        ("timeout_error", "timeout"),
        ("authentication_error", "authentication"),
        ("billing_error", "insufficient_quota"),
        ("permission_error", "permission_denied"),
        ("request_too_large", "payload_too_large"),
        ("invalid_request_error", "request_rejected"),
        ("new_error", "server_error"),
    ],
)
def test_an_error_in_the_stream_has_the_type_of_its_status(kind: str, error_type: str) -> None:
    error = error_of({"type": "error", "error": {"type": kind, "message": "Sorry."}, "request_id": "req_1"})
    assert (error.type, error.message) == (error_type, "Sorry.")
    assert error.details["provider_code"] == kind
    assert error.details["provider_request_id"] == "req_1"


def test_an_error_of_a_server_in_between_is_told() -> None:
    assert error_of(*said("a"), {"error": {"message": "No."}}).message == "No."
    with pytest.raises(SidecarError) as caught:
        list(DIALECT.decode_stream(AIM).feed(frame({"message": "No."}, "error")))
    assert caught.value.type == "server_error"

"""Why an answer ended, and what it cost in tokens."""

from typing import Any

import pytest
from messages_dialect import STOP, Json, end, events_of, finish, frame, said, start
from recorded import AIM

from sidecar.dialects.anthropic_messages import DIALECT
from sidecar.schema.chat import FinishReason, Message
from sidecar.schema.events import RefusalDelta, TextDelta, UsageDelta
from sidecar.transcript import Transcript


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("pause_turn", "pause"),
        ("compaction", "pause"),
        ("refusal", "refusal"),
        ("bored", "other"),
    ],
)
def test_every_stop_reason_has_its_meaning(raw: str, reason: Any) -> None:
    assert events_of(*said("a"), finish(raw), STOP) == [TextDelta(0, "a"), FinishReason(reason, raw)]


def test_an_answer_that_calls_tools_says_so_whatever_the_server_says() -> None:
    call = [start(0, type="tool_use", id="t", name="f", input={}), end(0)]
    assert events_of(*call, finish("end_turn"), STOP)[-1] == FinishReason("tool_calls", "end_turn")
    assert events_of(*call, STOP)[-1] == FinishReason("tool_calls", None)
    assert events_of(*call, finish("max_tokens"), STOP)[-1] == FinishReason("length", "max_tokens")


def test_an_end_without_a_reason_is_no_stop() -> None:
    assert events_of(*said("a"), STOP) == [TextDelta(0, "a"), FinishReason("other", None)]


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"category": "cyber", "explanation": "It may harm."}, "It may harm. (cyber)"),
        ({"category": None, "explanation": "It may harm."}, "It may harm."),
        ({"category": "bio"}, "(bio)"),
    ],
)
def test_a_refusal_says_why(details: Json, words: str) -> None:
    declined = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}}
    assert events_of(*said("I"), declined, STOP) == [
        TextDelta(0, "I"),
        RefusalDelta(1, words),
        FinishReason("refusal", "refusal"),
    ]


def test_a_refusal_without_words_has_no_part() -> None:
    assert events_of(finish("refusal"), STOP) == [FinishReason("refusal", "refusal")]


def test_counts_include_what_the_cache_had_a_part_in() -> None:
    asked = {
        "input_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "output_tokens": 1,
    }
    final = {"input_tokens": None, "output_tokens": 50, "output_tokens_details": {"thinking_tokens": 40}}
    known = {"input_tokens": 140, "cache_read_tokens": 100, "cache_write_tokens": 30, "cache_write_1h_tokens": 20}
    assert events_of({"type": "message_start", "message": {"usage": asked}}, finish(usage=final), STOP)[:-1] == [
        UsageDelta(**known),
        UsageDelta(**known, output_tokens=50, reasoning_tokens=40),
    ]


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"output_tokens": 2}, UsageDelta(output_tokens=2)),
        ({"input_tokens": 5.0, "output_tokens": -1}, UsageDelta(input_tokens=5, output_tokens=0)),
        ({"input_tokens": "5", "output_tokens": [1]}, UsageDelta()),
        (
            {"input_tokens": 1, "cache_creation": {"ephemeral_5m_input_tokens": 3}},
            UsageDelta(input_tokens=4, cache_write_tokens=3),
        ),
        (
            {"output_tokens": 3, "output_tokens_details": {"thinking_tokens": 9}},
            UsageDelta(output_tokens=3, reasoning_tokens=3),
        ),
    ],
)
def test_odd_counts_are_made_consistent(usage: Json, counts: UsageDelta) -> None:
    assert events_of(finish(usage=usage), STOP)[0] == counts


def test_what_was_asked_is_known_exactly_when_the_answer_breaks_off() -> None:
    decoder, transcript = DIALECT.decode_stream(AIM), Transcript()
    usage = {"input_tokens": 1000, "cache_read_input_tokens": 9000, "output_tokens": 1}
    for event in ({"type": "message_start", "message": {"usage": usage}}, *said("Once upon a time")[:2]):
        for found in decoder.feed(frame(event)):
            transcript.add(found)
    settled = transcript.settled_usage([Message("user", "?")])
    assert (settled.input_tokens, settled.cache_read_tokens, settled.output_tokens) == (10_000, 9000, 4)
    assert settled.source == "estimated"

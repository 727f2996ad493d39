"""Answers that are no stream."""

import json
from typing import Any

import pytest
from messages_dialect import STOPPED, events_of, opaque
from recorded import AIM

from sidecar.dialects.anthropic_messages import DIALECT
from sidecar.schema.chat import Custom, FinishReason, Reasoning
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import PartDelta, ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta, UsageDelta


def answer(**message: Any) -> list[StreamEvent]:
    return list(DIALECT.decode_answer(json.dumps(message, separators=(",", ":")).encode(), AIM).events)


def test_a_whole_answer_has_the_same_events_as_a_stream() -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    found = answer(
        type="message",
        content=[
            thought,
            search,
            {"type": "text", "text": "Yes."},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"n": 1}},
        ],
        stop_reason="tool_use",
        usage={"input_tokens": 3, "output_tokens": 9},
    )
    assert found == [
        ReasoningDelta(0, "Hm."),
        PartDelta(0, Reasoning("Hm.", "summary", opaque(thought))),
        PartDelta(1, Custom(opaque(search))),
        TextDelta(2, "Yes."),
        ToolCallDelta(3, "t", "f"),
        ToolCallDelta(3, arguments='{"n":1}'),
        UsageDelta(input_tokens=3, output_tokens=9),
        FinishReason("tool_calls", "tool_use"),
    ]
    assert events_of({"type": "message", "content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn"}) == [
        TextDelta(0, "a"),
        STOPPED,
    ]


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        (b"", "malformed_response"),
        (b"no", "malformed_response"),
        (b"{}", "malformed_response"),
        (b'{"content":[7],"stop_reason":"end_turn"}', "malformed_response"),
        (b'{"content":[]}', "stream_interrupted"),
        (b'{"content":[{"type":"text","te', "stream_interrupted"),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}', "provider_overloaded"),
    ],
)
def test_a_body_without_an_answer_is_an_error(body: bytes, error_type: str) -> None:
    with pytest.raises(SidecarError) as caught:
        DIALECT.decode_answer(body, AIM)
    assert caught.value.type == error_type

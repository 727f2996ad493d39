"""Blocks of an answer, and the parts that they become."""

import json

import pytest
from messages_dialect import STOP, STOPPED, delta, end, events_of, finish, opaque, said, start
from recorded import ORIGIN

from sidecar.schema.chat import Custom, FinishReason, Opaque, Reasoning, ToolCall
from sidecar.schema.events import PartDelta, ReasoningDelta, TextDelta, ToolCallDelta, UsageDelta


def test_words_become_deltas_and_the_finish_reason_comes_last() -> None:
    assert events_of(
        {"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}},
        start(0, type="text", text=""),
        {"type": "ping"},
        delta(0, "text_delta", text="Hel"),
        delta(0, "text_delta", text="lo"),
        end(0),
        finish(usage={"output_tokens": 2}),
        STOP,
    ) == [
        UsageDelta(input_tokens=3),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        UsageDelta(input_tokens=3, output_tokens=2),
        STOPPED,
    ]


def test_thoughts_are_kept_with_their_signature() -> None:
    thought = {"type": "thinking", "thinking": "Hm, é.", "signature": "c2ln"}
    redacted = {"type": "redacted_thinking", "data": "eA=="}
    assert events_of(
        start(0, type="thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="Hm, "),
        delta(0, "thinking_delta", thinking="é."),
        delta(0, "signature_delta", signature="c2ln"),
        end(0),
        start(1, **redacted),
        end(1),
        *said("Yes.", 2),
        finish(),
        STOP,
    ) == [
        ReasoningDelta(0, "Hm, "),
        ReasoningDelta(0, "é."),
        PartDelta(
            0,
            Reasoning(
                "Hm, é.", "summary", Opaque(json.dumps(thought, separators=(",", ":"), ensure_ascii=False), ORIGIN)
            ),
        ),
        PartDelta(1, Reasoning("", "redacted", opaque(redacted))),
        TextDelta(2, "Yes."),
        STOPPED,
    ]


def test_thoughts_without_words_are_withheld() -> None:
    block = {"type": "thinking", "thinking": "", "signature": "c2ln"}
    beginning = start(0, type="thinking", thinking="", signature="")
    assert events_of(beginning, delta(0, "signature_delta", signature="c2ln"), end(0), finish(), STOP) == [
        PartDelta(0, Reasoning("", "redacted", opaque(block))),
        STOPPED,
    ]


def test_thoughts_without_a_signature_are_words_and_no_more() -> None:
    thinking = [start(0, type="thinking", thinking=""), delta(0, "thinking_delta", thinking="Hm."), end(0)]
    assert events_of(*thinking, *said("Yes.", 1), finish(), STOP) == [
        ReasoningDelta(0, "Hm."),
        TextDelta(1, "Yes."),
        STOPPED,
    ]


def test_a_call_is_announced_and_its_arguments_follow() -> None:
    assert events_of(
        start(0, type="tool_use", id="toolu_1", name="f", input={}, caller={"type": "direct"}),
        delta(0, "input_json_delta", partial_json=""),
        delta(0, "input_json_delta", partial_json='{"q":'),
        delta(0, "input_json_delta", partial_json='"x"}'),
        end(0),
        finish("tool_use"),
        STOP,
    ) == [
        ToolCallDelta(0, "toolu_1", "f"),
        ToolCallDelta(0, arguments='{"q":'),
        ToolCallDelta(0, arguments='"x"}'),
        FinishReason("tool_calls", "tool_use"),
    ]


@pytest.mark.parametrize(
    ("given_input", "arguments"),
    [(b"{}", "{}"), (b'{"n":1.50}', '{"n":1.50}'), (b"null", "{}"), (b"[1]", "{}"), (b'"x"', "{}")],
)
def test_arguments_may_come_with_the_call(given_input: bytes, arguments: str) -> None:
    block = b'{"type":"tool_use","id":"t","name":"f","input":%s}' % given_input
    begun = b'{"type":"content_block_start","index":0,"content_block":%s}' % block
    assert events_of(begun, delta(0, "input_json_delta", partial_json=""), end(0), finish("tool_use"), STOP) == [
        ToolCallDelta(0, "t", "f"),
        ToolCallDelta(0, arguments=arguments),
        FinishReason("tool_calls", "tool_use"),
    ]


def test_a_call_that_the_model_did_not_make_itself_keeps_its_caller() -> None:
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": {"type": "code", "tool_id": "s"}}
    assert events_of(start(0, **block), end(0), finish("tool_use"), STOP)[2:] == [
        PartDelta(0, ToolCall("t", "f", "{}", opaque(block))),
        FinishReason("tool_calls", "tool_use"),
    ]


def test_a_call_without_an_id_gets_one() -> None:
    assert events_of(start(0, type="tool_use", name="f"), finish("tool_use"), STOP)[0] == ToolCallDelta(
        0, "call_0", "f"
    )


def test_what_only_the_server_understands_is_kept_as_it_came() -> None:
    result = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"n": 1.0}]}
    assert events_of(
        start(0, type="server_tool_use", id="s", name="web_search", input={}),
        delta(0, "input_json_delta", partial_json='{"query":'),
        delta(0, "input_json_delta", partial_json=' "x"}'),
        end(0),
        start(1, **result),
        end(1),
        start(2, type="compaction", content=None),
        delta(2, "compaction_delta", content="Before.", encrypted_content="eA=="),
        end(2),
        *said("Found.", 3),
        finish("pause_turn"),
        STOP,
    ) == [
        PartDelta(
            0, Custom(Opaque('{"type":"server_tool_use","id":"s","name":"web_search","input":{"query": "x"}}', ORIGIN))
        ),
        PartDelta(1, Custom(opaque(result))),
        PartDelta(2, Custom(opaque({"type": "compaction", "content": "Before.", "encrypted_content": "eA=="}))),
        TextDelta(3, "Found."),
        FinishReason("pause", "pause_turn"),
    ]


def test_input_of_the_server_that_breaks_off_leaves_the_block_as_it_began() -> None:
    block = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    broken = delta(0, "input_json_delta", partial_json='{"query":')
    assert events_of(start(0, **block), broken, end(0), finish("max_tokens"), STOP) == [
        PartDelta(0, Custom(opaque(block))),
        FinishReason("length", "max_tokens"),
    ]

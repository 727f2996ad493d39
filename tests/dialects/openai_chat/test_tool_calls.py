"""Tool calls in the fragments that servers make of them."""

from typing import Any

import pytest
from chat_dialect import delta, events_of

from sidecar.dialects.openai_chat import tool_calls
from sidecar.schema.chat import FinishReason, ToolCall
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import TextDelta, ToolCallDelta
from sidecar.transcript import Transcript


def fragment(
    index: int | None = None, call_id: str | None = None, name: Any = None, arguments: Any = None
) -> dict[str, Any]:
    members = {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
    return {name: value for name, value in members.items() if value is not None}


def calls_of(*chunks: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    transcript = Transcript()
    for event in events_of(*(delta(tool_calls=chunk) for chunk in chunks), delta("tool_calls")):
        transcript.add(event)
    parts = transcript.message().content
    return [(part.id, part.name, part.arguments) for part in parts if isinstance(part, ToolCall)]


def test_a_call_is_announced_whole_and_its_arguments_follow() -> None:
    events = events_of(
        delta(content="So"),
        delta(tool_calls=[fragment(0, "a", "f", "")]),
        delta(tool_calls=[fragment(0, arguments='{"q"')]),
        delta(tool_calls=[fragment(0, arguments=":1}")]),
        delta(tool_calls=[fragment(1, "b", "g", "")]),
        delta("tool_calls"),
    )
    assert events == [
        TextDelta(0, "So"),
        ToolCallDelta(1, "a", "f", '{"q"'),
        ToolCallDelta(1, arguments=":1}"),
        ToolCallDelta(2, "b", "g"),
        ToolCallDelta(2, arguments="{}"),
        FinishReason("tool_calls", "tool_calls"),
    ]


def test_a_call_without_arguments_is_announced_when_the_next_begins() -> None:
    chunks = [delta(tool_calls=[fragment(0, "a", "f", "")]), delta(tool_calls=[fragment(1, "b", "g", "{}")])]
    assert events_of(*chunks, delta("stop"))[:2] == [ToolCallDelta(0, "a", "f"), ToolCallDelta(1, "b", "g", "{}")]


@pytest.mark.parametrize(
    ("chunks", "calls"),
    [
        ([[fragment(0, "a", "f", "{}")]], [("a", "f", "{}")]),
        ([[fragment(0, "a", "f", "{"), fragment(1, "b", "g", "{}")], [fragment(0, arguments="}")]],
         [("a", "f", "{}"), ("b", "g", "{}")]),
        ([[fragment(7, "a", "f", "{}")], [fragment(3, "b", "g", "{}")]], [("a", "f", "{}"), ("b", "g", "{}")]),
        ([[fragment(None, "a", "f", "{")], [fragment(None, "a", arguments="}")]], [("a", "f", "{}")]),
        ([[fragment(None, "a", "f", "{")], [fragment(arguments="}")], [fragment(name="g", arguments="{}")]],
         [("a", "f", "{}"), ("call_1", "g", "{}")]),
        ([[fragment(0, "a", "f", "{}")], [fragment(0, "b", "f", "{}")]], [("a", "f", "{}"), ("b", "f", "{}")]),
        ([[fragment(0, "", "f", "{}")], [fragment(0, "", "g", "{}")]], [("call_0", "f", "{}"), ("call_1", "g", "{}")]),
        ([[fragment(0, "a", "f", "{")], [fragment(0, "a", "f", "}")], [fragment(0, "z", None, " ")]],
         [("a", "f", "{} ")]),
        ([[fragment(0, "null", "f", "{}")], [fragment(1, "null", "g", "{}")]],
         [("call_0", "f", "{}"), ("call_1", "g", "{}")]),
        ([[fragment(0, "a", "f", "{}")], [fragment(1, "a", "g", "{}")]], [("a", "f", "{}"), ("call_1", "g", "{}")]),
        ([[fragment(0, "call_1", "f", "{}")], [fragment(1, None, "g", "{}")]],
         [("call_1", "f", "{}"), ("call_2", "g", "{}")]),
        ([[fragment(0, "a", "get_", "")], [fragment(0, name="time", arguments="{}")]], [("a", "get_time", "{}")]),
        ([[fragment(0, "a", "", "{")], [fragment(0, name="f")], [fragment(0, arguments="}")]], [("a", "f", "{}")]),
        ([[fragment(None, "a")], [fragment(name="f")], [fragment(arguments="{}")]], [("a", "f", "{}")]),
        ([[fragment(0, None, "f")], [fragment(0, "a", None, "{}")]], [("a", "f", "{}")]),
        ([[fragment(0, "a", "f", {"q": [1, 2.5]})]], [("a", "f", '{"q":[1,2.5]}')]),
        ([[fragment(0, "a", "f", None)]], [("a", "f", "{}")]),
        ([[fragment(0, "a", "f", " ")]], [("a", "f", " {}")]),
        ([[fragment(0, "a", "f", "{} not json")]], [("a", "f", "{} not json")]),
        ([[{"index": 0, "id": "a", "function": None}], [fragment(0, name="f")]], [("a", "f", "{}")]),
        ([[{"index": 0, "id": "a"}]], []),
        ([[fragment(0, "a", None, "{}")]], [("a", "", "{}")]),
        ([[{"index": "0", "id": 5, "function": {"name": "f", "arguments": "{}"}}]], [("call_0", "f", "{}")]),
        ([[], [fragment(0, "a", "f", "{}")], []], [("a", "f", "{}")]),
    ],
)  # fmt: skip
def test_fragments_of_any_kind_make_the_calls_that_were_meant(
    chunks: list[list[dict[str, Any]]], calls: list[tuple[str, str, str]]
) -> None:
    assert calls_of(*chunks) == calls


def test_the_older_form_of_a_call_is_read_too() -> None:
    first, second = {"name": "f", "arguments": '{"a'}, {"arguments": '":1}'}
    events = events_of(delta(function_call=first), delta("function_call", function_call=second))
    assert events == [
        ToolCallDelta(0, "call_0", "f", '{"a'),
        ToolCallDelta(0, arguments='":1}'),
        FinishReason("tool_calls", "function_call"),
    ]


def test_a_call_told_in_both_forms_counts_once() -> None:
    def both(arguments: str) -> dict[str, Any]:
        told = {"name": "f", "arguments": arguments}
        return delta(tool_calls=[fragment(0, "a", "f", arguments)], function_call=told)

    assert events_of(both('{"a'), both('":1}'), delta("tool_calls")) == [
        ToolCallDelta(0, "a", "f", '{"a'),
        ToolCallDelta(0, arguments='":1}'),
        FinishReason("tool_calls", "tool_calls"),
    ]


def test_there_are_only_so_many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_calls, "MAX_CALLS", 2)
    two = [[fragment(number, name="f", arguments="1")] for number in (0, 1, 0, 1)]
    assert len(calls_of(*two)) == 2
    with pytest.raises(SidecarError) as caught:
        calls_of(*two, [fragment(2, name="f", arguments="1")])
    assert caught.value.type == "malformed_response"

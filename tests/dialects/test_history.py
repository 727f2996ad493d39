"""Conversations put in order: answers of tools, turns of two speakers."""

from typing import Any

import pytest
from msgspec import Raw

from sidecar.dialects.history import CONTINUE, NOT_RUN, answered, script
from sidecar.dialects.report import Report
from sidecar.schema.chat import (
    Base64Source,
    File,
    Message,
    Opaque,
    Origin,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    UrlSource,
)
from sidecar.schema.errors import SidecarError

HERE = Origin("here", "https://llm.test/v1", "m-1")


def asked(text: str = "?") -> Message:
    return Message("user", text)


def called(*ids: str) -> Message:
    return Message("assistant", [ToolCall(id_, "f", "{}") for id_ in ids])


def gave(*ids: str) -> Message:
    return Message("tool", [ToolResult(id_, f"result of {id_}") for id_ in ids])


def ordered(*messages: Message) -> tuple[list[Message], list[str]]:
    """Return the conversation in order, and what was said about it."""
    report = Report("warn")
    return answered(messages, report), [warning.message for warning in report.warnings]


def ids(messages: list[Message]) -> list[list[str]]:
    """Return the ids of calls and results, message by message."""
    return [
        [part.id if isinstance(part, ToolCall) else part.tool_call_id for part in parts_of(message)]
        for message in messages
        if any(isinstance(part, ToolCall | ToolResult) for part in message.content)
    ]


def parts_of(message: Message) -> list[Any]:
    return [part for part in message.content if isinstance(part, ToolCall | ToolResult)]


def test_a_conversation_in_order_stays_as_it_is() -> None:
    messages = [Message("user", [Text("?")]), called("a", "b"), gave("a", "b"), Message("assistant", [Text("done")])]
    assert ordered(*messages) == (messages, [])


def test_results_come_in_the_order_of_their_calls() -> None:
    messages, warnings = ordered(asked(), called("a", "b", "c"), gave("c"), gave("b", "a"))
    assert ids(messages) == [["a", "b", "c"], ["a", "b", "c"]]
    assert warnings == []


def test_results_come_in_the_order_of_their_calls_where_an_id_occurs_twice() -> None:
    messages, _ = ordered(called("a", "b", "a"), gave("a", "b", "a"))
    assert ids(messages) == [["a", "b", "a_2"], ["a", "b", "a_2"]]


def test_results_come_at_once_and_what_was_said_meanwhile_follows() -> None:
    messages, warnings = ordered(called("a"), asked("and?"), Message("system", "Be brief."), gave("a"))
    assert [message.role for message in messages] == ["assistant", "tool", "user", "system"]
    assert warnings == []


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    messages, warnings = ordered(called("a", "b"), gave("b"), asked())
    assert messages[1].content == [ToolResult("a", NOT_RUN, is_error=True), ToolResult("b", "result of b")]
    assert warnings == ["A tool call of the conversation has no result; the model was told so."]


def test_calls_at_the_end_are_answered_too() -> None:
    messages, _ = ordered(asked(), called("a"))
    assert ids(messages) == [["a"], ["a"]]


def test_a_result_without_a_call_becomes_words_of_the_user() -> None:
    picture = File("image/png", Base64Source(Raw(b'"aaaa"')))
    result = ToolResult("lost", [Text("18 degrees"), picture])
    messages, warnings = ordered(asked(), Message("tool", [result]))
    assert messages[1] == Message("user", [Text("Result of an earlier tool call: 18 degrees\n(a file)")])
    assert len(warnings) == 1


def test_a_second_result_of_a_call_becomes_words_of_the_user() -> None:
    messages, warnings = ordered(called("a"), gave("a", "a"))
    assert ids(messages) == [["a"], ["a"]]
    assert messages[2].role == "user"
    assert len(warnings) == 1


def test_a_result_that_comes_a_turn_too_late_is_no_result() -> None:
    messages, warnings = ordered(called("a"), Message("assistant", "Well."), gave("a"))
    assert ids(messages) == [["a"], ["a"]]
    assert [message.role for message in messages] == ["assistant", "tool", "assistant", "user"]
    assert len(warnings) == 2


def test_ids_that_occur_in_several_turns_are_told_apart() -> None:
    messages, _ = ordered(called("a"), gave("a"), called("a"), gave("a"), called("a_2", ""), gave("", "a_2"))
    assert ids(messages) == [["a"], ["a"], ["a_2"], ["a_2"], ["a_2_2", "call_2"], ["a_2_2", "call_2"]]


def test_ids_that_are_too_long_for_some_are_shortened() -> None:
    long = "x" * 41
    messages, warnings = ordered(called(long, "y" * 40), gave(long, "y" * 40), called("y" * 40), gave("y" * 40))
    (short, kept), _, (second,), _ = ids(messages)
    assert (len(short), kept, second) == (21, "y" * 40, "y" * 20 + "_2")
    assert ids(messages)[1] == [short, kept]
    assert ids(ordered(called(long))[0])[0] == [short]
    assert warnings == []


def test_results_may_come_in_a_message_of_the_user() -> None:
    messages, _ = ordered(called("a"), Message("user", [Text("so:"), ToolResult("a", "1")]))
    assert messages[1:] == [Message("tool", [ToolResult("a", "1")]), Message("user", [Text("so:")])]


def test_what_says_nothing_is_left_out() -> None:
    kept = Text("", opaque=Opaque('"sig"', HERE))
    messages, warnings = ordered(
        asked(""), Message("assistant", [Text(""), kept]), Message("assistant", []), Message("system", "")
    )
    assert messages == [Message("assistant", [kept])]
    assert warnings == []


def test_an_empty_refusal_says_nothing() -> None:
    assert ordered(Message("assistant", [Refusal("")])) == ([], [])


@pytest.mark.parametrize("content", ["18 degrees", [Text("18 degrees")], [ToolResult("a", "1"), Text("?")]])
def test_a_tool_message_holds_results_only(content: Any) -> None:
    with pytest.raises(SidecarError) as caught:
        ordered(called("a"), Message("tool", content))
    assert caught.value.type == "invalid_params"


def test_results_are_not_said_by_the_assistant() -> None:
    with pytest.raises(SidecarError) as caught:
        ordered(called("a"), Message("assistant", [ToolResult("a", "1")]))
    assert caught.value.type == "unsupported_feature"


def turns(*messages: Message) -> tuple[list[str], list[str], list[str]]:
    """Return the instructions, who speaks with how many parts, and what was said about it."""
    report = Report("warn")
    found = script(messages, report)
    speakers = [f"{turn.role} {len(turn.parts)}" for turn in found.turns]
    return [text.text for text in found.instructions], speakers, [warning.message for warning in report.warnings]


def test_turns_alternate() -> None:
    messages = [asked(), asked(), Message("assistant", "a"), called("a"), gave("a"), asked()]
    assert turns(*messages) == ([], ["user 2", "assistant 2", "user 2"], [])


def test_instructions_at_the_beginning_stand_apart() -> None:
    found = turns(Message("system", "one"), Message("developer", [Text("two"), Text("three")]), asked())
    assert found == (["one", "two", "three"], ["user 1"], [])


def test_instructions_in_mid_conversation_are_said_by_the_user() -> None:
    told = "Instructions in mid-conversation were sent as words of the user."
    assert turns(asked(), Message("assistant", "a"), Message("system", "s")) == (
        [],
        ["user 1", "assistant 1", "user 1"],
        [told],
    )


def test_results_come_first_in_a_turn_of_the_user() -> None:
    found = script([asked(), called("a"), Message("system", "s"), asked(), gave("a")], Report("warn"))
    assert [type(part).__name__ for part in found.turns[-1].parts] == ["ToolResult", "Text", "Text"]


@pytest.mark.parametrize("messages", [[], [Message("system", "s")], [asked("")]])
def test_the_user_speaks_where_nobody_did(messages: list[Message]) -> None:
    assert script(messages, Report("warn")).turns[0].parts == [Text(CONTINUE)]


def test_the_user_speaks_first() -> None:
    found = script([Message("assistant", "Hello."), asked()], Report("warn"))
    assert [turn.role for turn in found.turns] == ["user", "assistant", "user"]


def test_instructions_are_words() -> None:
    picture = File("image/png", UrlSource("https://llm.test/a.png"))
    with pytest.raises(SidecarError) as caught:
        script([Message("system", [picture])], Report("warn"))
    assert caught.value.type == "unsupported_feature"

"""Conversations in the order that strict servers demand."""

import json
from typing import Any

from chat_dialect import aim
from msgspec import Raw

from sidecar.dialects.openai_chat import DIALECT
from sidecar.schema.chat import Base64Source, ChatRequest, File, FunctionTool, Message, Text, ToolCall, ToolResult

CALL = Message("assistant", [ToolCall("c", "f", "{}")])
RESULT = Message("tool", [ToolResult("c", "one")])
USER = Message("user", "And?")
PNG = File("image/png", Base64Source(Raw(b'"iVBO"')))
WIRE_CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
WIRE_RESULT = {"role": "tool", "tool_call_id": "c", "content": "one"}
WIRE_USER = {"role": "user", "content": "And?"}


def sent(*messages: Message, **quirks: Any) -> tuple[list[Any], list[str]]:
    """Return what goes out, and the kinds of what is warned of."""
    encoded = DIALECT.encode_request(ChatRequest(messages=list(messages)), aim(**quirks))
    return json.loads(encoded.body)["messages"], [warning.type for warning in encoded.warnings]


def test_instructions_come_first_and_speakers_take_turns_where_templates_demand_that() -> None:
    conversation = [
        Message("system", "Be brief."),
        Message("developer", "Be kind."),
        Message("user", "One"),
        Message("user", "Two"),
        Message("system", "Rhyme."),
        Message("assistant", "A"),
        Message("assistant", "B"),
    ]
    assert sent(*conversation, order="turns") == (
        [
            {"role": "system", "content": "Be brief.\n\nBe kind."},
            {
                "role": "user",
                "content": [{"type": "text", "text": text} for text in ("One", "Two", "Rhyme.")],
            },
            {"role": "assistant", "content": "AB"},
        ],
        ["conversation_changed"],
    )
    free, warnings = sent(*conversation)
    assert [message["role"] for message in free] == [
        "system",
        "system",
        "user",
        "user",
        "system",
        "assistant",
        "assistant",
    ]
    assert warnings == []


def test_a_conversation_that_the_assistant_begins_gets_a_question() -> None:
    messages, _ = sent(Message("assistant", "Hi"), order="turns")
    assert messages == [{"role": "user", "content": "Continue."}, {"role": "assistant", "content": "Hi"}]


def test_the_user_may_speak_after_tools_unless_the_server_objects() -> None:
    assert sent(CALL, RESULT, USER) == ([WIRE_CALL, WIRE_RESULT, WIRE_USER], [])
    messages, warnings = sent(Message("user", "Go"), CALL, RESULT, USER, order="bridged")
    assert messages[1:] == [
        WIRE_CALL,
        WIRE_RESULT,
        {"role": "assistant", "content": "I have the results."},
        WIRE_USER,
    ]
    assert warnings == ["conversation_changed"]
    assert sent(Message("user", "Go"), CALL, RESULT, order="bridged")[1] == []


def test_files_of_results_are_words_of_the_user_to_a_strict_server_too() -> None:
    result = Message("tool", [ToolResult("c", [Text("one"), PNG])])
    messages, _ = sent(Message("user", "Go"), CALL, result, USER, order="bridged")
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "assistant", "user"]
    assert [part["type"] for part in messages[-1]["content"]] == ["text", "image_url", "text"]


def test_a_call_without_a_result_gets_one() -> None:
    messages, warnings = sent(CALL, USER)
    assert messages == [WIRE_CALL, WIRE_RESULT | {"content": "Error: The tool was not run."}, WIRE_USER]
    assert warnings == ["conversation_changed"]


def test_a_server_without_tools_is_told_of_them_in_words() -> None:
    messages, warnings = sent(Message("user", "Go"), CALL, RESULT, USER, tools=False, order="turns")
    assert messages == [
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": "(Calls the tool f with {})"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Result of an earlier tool call: one"},
                {"type": "text", "text": "And?"},
            ],
        },
    ]
    assert warnings == ["conversation_changed"]
    request = ChatRequest(messages=[USER], tools=[FunctionTool("f")])
    encoded = DIALECT.encode_request(request, aim(tools=False))
    assert "tools" not in json.loads(encoded.body)
    assert [warning.param for warning in encoded.warnings] == ["tools"]


def test_arguments_are_objects_where_templates_take_them_apart() -> None:
    calls = [
        ToolCall("a", "f", ' {"x": 1.50} '),
        ToolCall("b", "f", ""),
        ToolCall("c", "f", "[1"),
        ToolCall("d", "f", "[1]"),
    ]
    results = Message("tool", [ToolResult(id_, "") for id_ in "abcd"])
    messages, warnings = sent(Message("assistant", [*calls]), results, object_arguments=True)
    assert [call["function"]["arguments"] for call in messages[0]["tool_calls"]] == [
        '{"x": 1.50}',
        "{}",
        '{"arguments":"[1"}',
        '{"arguments":"[1]"}',
    ]
    assert warnings == ["conversation_changed"]
    messages, warnings = sent(Message("assistant", [*calls]), results)
    assert [call["function"]["arguments"] for call in messages[0]["tool_calls"]] == ['{"x": 1.50}', "{}", "[1", "[1]"]
    assert warnings == []

from typing import Any

import pytest
from local_models import target_for

from sidecar.engines.llama.protocol import Turn
from sidecar.engines.llama.request import Asked, encode
from sidecar.engines.llama.spoken import Form
from sidecar.schema.chat import (
    ChatRequest,
    FunctionTool,
    JsonSchemaFormat,
    Message,
    NamedTool,
    ProviderTool,
    Text,
    ToolCall,
    ToolResult,
)
from sidecar.schema.errors import SidecarError

TARGET = target_for("/models/tiny.gguf")
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = FunctionTool("weather", "Tells the weather.", CITY)
CLOCK = FunctionTool("clock")

TOLD = """\
Tools:
{"name":"weather","description":"Tells the weather.","parameters":{"type":"object","properties":{"city":\
{"type":"string"}},"required":["city"]}}
{"name":"clock"}
"""
NONE = 'For anything else write {"reply": your answer to the user}.'
ONE = f'If a tool does what the user asks for, write {{"tool": name, "arguments": {{...}}}}. {NONE}'
SEVERAL = f'If tools do what the user asks for, write [{{"tool": name, "arguments": {{...}}}}, ...]. {NONE}'


def asked(messages: list[Message] | None = None, **options: Any) -> Asked:
    chosen: dict[str, Any] = {"tools": [WEATHER, CLOCK]} | options
    return encode(ChatRequest(messages=messages or [Message("user", "hi")], **chosen), TARGET)


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def call(name: str, at: int) -> dict[str, Any]:
    return of(tool={"const": name}, arguments={"$ref": f"#/$defs/t{at}"})


REPLY = of(reply={"$ref": "#/$defs/reply"})
CLOSED = CITY | {"additionalProperties": False}
NOTHING: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
TEXT = {"type": "string"}


def test_the_model_is_told_of_the_tools_in_words() -> None:
    assert asked().chat.messages == [Turn("system", TOLD + ONE), Turn("user", "hi")]
    assert asked(parallel_tool_calls=True).chat.messages[0] == Turn("system", TOLD + SEVERAL)


def test_instructions_of_the_host_follow_in_the_same_turn() -> None:
    instructed = asked([Message("system", "Be brief."), Message("user", "hi")])
    assert instructed.chat.messages[0] == Turn("system", f"{TOLD}{ONE}\n\nBe brief.")


@pytest.mark.parametrize("choice", ["auto", "none", "required", NamedTool("clock"), None])
def test_the_words_are_the_same_for_every_choice(choice: Any) -> None:
    assert asked(tool_choice=choice).chat.messages == asked().chat.messages


def test_the_model_replies_or_calls_a_tool() -> None:
    schema: dict[str, Any] = {
        "anyOf": [REPLY, call("weather", 0), call("clock", 1)],
        "$defs": {"t0": CLOSED, "t1": NOTHING, "reply": TEXT},
    }
    assert asked().chat.schema == asked(tool_choice="auto").chat.schema == schema
    assert asked().form == Form("tools")


def test_a_call_that_is_required_leaves_no_room_for_a_reply() -> None:
    schema: dict[str, Any] = {"anyOf": [call("weather", 0), call("clock", 1)], "$defs": {"t0": CLOSED, "t1": NOTHING}}
    assert asked(tool_choice="required").chat.schema == schema


def test_a_tool_that_is_named_is_the_only_one_to_call() -> None:
    assert asked(tool_choice=NamedTool("clock")).chat.schema == call("clock", 0) | {"$defs": {"t0": NOTHING}}


def test_tools_that_may_not_be_called_leave_the_reply() -> None:
    assert asked(tool_choice="none").chat.schema == REPLY | {"$defs": {"reply": TEXT}}


def test_several_calls_where_the_host_wants_them_are_a_list_with_an_end() -> None:
    several = asked(tool_choice=NamedTool("clock"), parallel_tool_calls=True).chat.schema
    assert several == {"type": "array", "items": call("clock", 0), "minItems": 1, "maxItems": 8} | {
        "$defs": {"t0": NOTHING}
    }
    for single in (None, False):
        assert asked(parallel_tool_calls=single).chat == asked().chat


def test_a_reply_follows_the_format_that_is_asked_for() -> None:
    wanted = {"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}}
    both = asked(tool_choice="none", response_format=JsonSchemaFormat(wanted))
    moved = {"$ref": "#/$defs/reply/$defs/a", "$defs": {"a": {"type": "integer"}}}
    assert both.chat.schema == REPLY | {"$defs": {"reply": moved}}
    assert both.form == Form("tools", json_reply=True)


def test_references_of_a_tool_hold_in_the_whole_schema() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}, "$ref": {"type": "string"}}}
    schema = asked(tools=[FunctionTool("grow", None, tree)], tool_choice="required").chat.schema
    moved = {"left": {"$ref": "#/$defs/t0"}, "$ref": {"type": "string"}}
    assert schema is not None
    assert schema["$defs"]["t0"] == tree | {"properties": moved, "additionalProperties": False}


def test_arguments_are_closed_only_where_the_tool_names_them() -> None:
    free: dict[str, Any] = {"additionalProperties": {"type": "string"}, "properties": {}}
    schema = asked(tools=[FunctionTool("a", None, free), FunctionTool("b", None, {"type": "object"})]).chat.schema
    assert schema is not None
    assert (schema["$defs"]["t0"], schema["$defs"]["t1"]) == (free, {"type": "object"})


def test_stop_sequences_are_looked_for_in_the_reply_and_not_in_its_form() -> None:
    stopping = asked(stop=["}", ""])
    assert (stopping.chat.stop, stopping.form) == ([], Form("tools", stop=("}",)))


def test_what_was_said_is_written_as_the_model_is_to_write() -> None:
    conversation = [
        Message("user", "hi"),
        Message("assistant", [Text("Let me look."), ToolCall("1", "clock", ""), ToolCall("2", "weather", "Rome")]),
        Message("tool", [ToolResult("1", "12:00"), ToolResult("2", "no such city", is_error=True)]),
        Message("assistant", "It is noon."),
    ]
    said = '{"reply":"Let me look."}\n'
    one, other = '{"tool":"clock","arguments":{}}', '{"tool":"weather","arguments":"Rome"}'
    rest = [
        Turn("user", "[The tool clock answers: 12:00]\n\n[The tool weather fails: no such city]"),
        Turn("assistant", '{"reply":"It is noon."}'),
    ]
    assert asked(conversation).chat.messages[2:] == [Turn("assistant", f"{said}{one}\n{other}"), *rest]
    several = asked(conversation, parallel_tool_calls=True)
    assert several.chat.messages[2:] == [Turn("assistant", f"{said}[{one},{other}]"), *rest]


def test_tools_that_providers_run_are_left_out_with_a_warning() -> None:
    mixed = asked(tools=[CLOCK, ProviderTool({"type": "web_search"})])
    message = "tiny runs locally and takes no tools of a provider; they were left out."
    assert [warning.message for warning in mixed.warnings] == [message]
    assert mixed.chat == asked(tools=[CLOCK]).chat
    alone = asked(tools=[ProviderTool({"type": "web_search"})])
    assert alone.chat == asked(tools=[]).chat


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ({"properties": {"a": {"maxLength": 5000}}}, "`maxLength` is greater than 1000"),
        ({"$ref": "#/$defs/no"}, "it refers to a definition that it does not hold"),
        ({"type": "string"}, "must be an object"),
        ({"enum": ["a" * 9] * 4990}, "it is too large or too deeply nested"),
    ],
)
def test_a_tool_that_the_engine_could_not_carry_is_refused(tool: dict[str, Any], words: str) -> None:
    with pytest.raises(SidecarError) as raised:
        asked(tools=[WEATHER, FunctionTool("bad", None, tool)])
    assert (raised.value.type, raised.value.details["param"]) == ("unsupported_feature", "tools")
    assert words in raised.value.message


def test_a_tool_that_is_not_offered_cannot_be_named() -> None:
    with pytest.raises(SidecarError) as raised:
        asked(tool_choice=NamedTool("no"))
    assert (raised.value.type, raised.value.details["param"]) == ("invalid_params", "tool_choice")

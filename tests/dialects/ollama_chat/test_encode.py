"""Requests in the server's own form."""

import json
from typing import Any

import pytest
from chat_dialect import ORIGIN
from msgspec import Raw
from msgspec.structs import replace

from sidecar.dialects.contract import Aim, HttpRequest
from sidecar.dialects.ollama_chat import DIALECT
from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.shaping import Shaping
from sidecar.dialects.traits import ModelTraits
from sidecar.schema.chat import (
    Base64Source,
    CacheHint,
    ChatRequest,
    Custom,
    File,
    FunctionTool,
    JsonFormat,
    JsonSchemaFormat,
    Message,
    Opaque,
    Origin,
    Part,
    ProviderTool,
    Reasoning,
    ReasoningOptions,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    UrlSource,
)
from sidecar.schema.errors import SidecarError

HELLO = Message("user", "Hello")
PNG = File("image/png", Base64Source(Raw(b'"iVBO"')))
AIM = Aim(provider="here", kind="kind", model="m-1", origin=ORIGIN, quirks=ChatQuirks())


def encode(request: ChatRequest, **members: Any) -> HttpRequest:
    return DIALECT.encode_request(request, replace(AIM, **members))


def asked(*messages: Message, **options: Any) -> tuple[dict[str, Any], list[str | None]]:
    """Return the body, and the parameters warned of."""
    encoded = encode(ChatRequest(messages=list(messages) or [HELLO], **options))
    return json.loads(encoded.body), [warning.param for warning in encoded.warnings]


def messages_of(*messages: Message) -> list[Any]:
    found: list[Any] = asked(*messages)[0]["messages"]
    return found


def test_the_smallest_request() -> None:
    assert encode(ChatRequest(messages=[HELLO])) == HttpRequest(
        "/api/chat", b'{"model":"m-1","messages":[{"role":"user","content":"Hello"}],"stream":true}'
    )


def test_all_options_have_a_name() -> None:
    body, warned = asked(
        context_size=8192,
        max_tokens=10,
        temperature=0.0,
        top_p=0.5,
        top_k=40,
        seed=0,
        stop=["\n"],
        frequency_penalty=0.1,
        presence_penalty=-0.1,
    )
    assert body["options"] == {
        "num_ctx": 8192,
        "num_predict": 10,
        "temperature": 0.0,
        "top_p": 0.5,
        "top_k": 40,
        "seed": 0,
        "stop": ["\n"],
        "frequency_penalty": 0.1,
        "presence_penalty": -0.1,
    }
    assert warned == []


def test_a_request_counts_more_than_the_configuration_and_options_of_the_host_more_than_both() -> None:
    additions = {"keep_alive": "10m", "options": {"num_ctx": 4096, "num_gpu": 1}}
    request = ChatRequest(messages=[HELLO], temperature=0.5)
    assert json.loads(encode(request, additions=additions).body) == {
        "model": "m-1",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "keep_alive": "10m",
        "options": {"num_ctx": 4096, "num_gpu": 1, "temperature": 0.5},
    }
    asked_for = replace(
        request, context_size=2048, provider_options={"kind": {"options": {"num_gpu": 2}}, "x": {"y": 1}}
    )
    assert json.loads(encode(asked_for, additions=additions).body)["options"] == {
        "num_ctx": 2048,
        "num_gpu": 2,
        "temperature": 0.5,
    }


def test_tools_are_offered_but_cannot_be_made_a_must() -> None:
    tools = [FunctionTool("add", "Adds.", {"type": "object"}), FunctionTool("now"), ProviderTool({"type": "x"})]
    body, warned = asked(tools=tools, tool_choice="required", parallel_tool_calls=False)
    assert body["tools"] == [
        {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}},
        {
            "type": "function",
            "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}},
        },
        {"type": "x"},
    ]
    assert "tool_choice" not in body
    assert body["messages"][0]["role"] == "system"
    assert sorted(map(str, warned)) == ["parallel_tool_calls", "tool_choice"]
    assert asked(tools=tools, tool_choice="none") == (asked()[0], [])
    assert asked(tools=tools, tool_choice="auto", parallel_tool_calls=True)[1] == []


def test_the_form_of_the_answer() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    assert asked(response_format=JsonSchemaFormat(schema))[0]["format"] == schema
    body, warned = asked(response_format=JsonFormat())
    assert (body["format"], body["messages"][0]["content"], warned) == ("json", "Answer with a JSON object.", [])
    request = ChatRequest(messages=[HELLO], response_format=JsonSchemaFormat(schema), tools=[FunctionTool("f")])
    encoded = encode(request, traits=ModelTraits(structured_with_tools=False))
    assert encoded.shaping == Shaping(fenced=True, structured="prompt")
    assert "format" not in json.loads(encoded.body)


LEVELS = ModelTraits(efforts=("low", "medium", "high"))


@pytest.mark.parametrize(
    ("options", "traits", "think", "warned"),
    [
        (ReasoningOptions("none"), ModelTraits(), False, []),
        (ReasoningOptions("high"), ModelTraits(), True, []),
        (ReasoningOptions("low"), LEVELS, "low", []),
        (ReasoningOptions("max"), LEVELS, "high", ["reasoning.effort"]),
        (ReasoningOptions(None, 9000), LEVELS, "medium", ["reasoning.budget_tokens"]),
        (ReasoningOptions(None, 500), ModelTraits(), True, ["reasoning.budget_tokens"]),
        (ReasoningOptions(None, 0), ModelTraits(), False, ["reasoning.budget_tokens"]),
        (ReasoningOptions(), ModelTraits(), None, []),
    ],
)
def test_how_much_to_think(options: ReasoningOptions, traits: ModelTraits, think: Any, warned: Any) -> None:
    encoded = encode(ChatRequest(messages=[HELLO], reasoning=options), traits=traits)
    assert json.loads(encoded.body).get("think") == think
    assert [warning.param for warning in encoded.warnings] == warned


def test_a_tool_conversation() -> None:
    calls: list[Part] = [
        Reasoning("Hm"),
        Text("I look."),
        ToolCall("c1", "f", '{"a": 1.50}'),
        ToolCall("c2", "g", ""),
    ]
    results: list[Part] = [ToolResult("c1", "one"), ToolResult("c2", [Text("no"), Text("way")], is_error=True)]
    assert messages_of(
        Message("developer", "Be brief."),
        HELLO,
        Message("assistant", calls),
        Message("tool", results),
        Message("assistant", [Reasoning("So"), Refusal("I can't.")]),
    ) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {
            "role": "assistant",
            "content": "I look.",
            "thinking": "Hm",
            "tool_calls": [
                {"id": "c1", "function": {"name": "f", "arguments": {"a": 1.5}}},
                {"id": "c2", "function": {"name": "g", "arguments": {}}},
            ],
        },
        {"role": "tool", "tool_name": "f", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_name": "g", "tool_call_id": "c2", "content": "Error: no\nway"},
        {"role": "assistant", "content": "I can't."},
    ]


def test_arguments_are_sent_as_they_were_written() -> None:
    call, result = Message("assistant", [ToolCall("c", "f", '{"n": 1.50}')]), Message("tool", [ToolResult("c", "")])
    assert b'"arguments":{"n": 1.50}' in encode(ChatRequest(messages=[call, result])).body
    broken = Message("assistant", [ToolCall("c", "f", "{n")])
    encoded = encode(ChatRequest(messages=[broken, result]))
    assert b'"arguments":{"arguments":"{n"}' in encoded.body
    assert [warning.type for warning in encoded.warnings] == ["conversation_changed"]


def test_images_are_data_beside_the_words() -> None:
    assert messages_of(Message("user", [Text("Look"), PNG, Text("here")])) == [
        {"role": "user", "content": "Look\n\nhere", "images": ["iVBO"]}
    ]
    note = File("text/plain", Base64Source(Raw(b'"bmVl"')), "n.txt")
    assert messages_of(Message("user", [note])) == [{"role": "user", "content": "n.txt\n\nnee"}]
    call = Message("assistant", [ToolCall("c", "f", "{}")])
    assert messages_of(call, Message("tool", [ToolResult("c", [PNG])]), HELLO)[1:] == [
        {"role": "tool", "tool_name": "f", "tool_call_id": "c", "content": ""},
        {"role": "user", "content": "Images that belong to the results of the tools:", "images": ["iVBO"]},
        {"role": "user", "content": "Hello"},
    ]


@pytest.mark.parametrize(
    "message",
    [
        Message("user", [File("image/png", UrlSource("https://a.test/x"))]),
        Message("user", [File("application/pdf", Base64Source(Raw(b'"JVBE"')))]),
        Message("user", [File("audio/wav", Base64Source(Raw(b'"UklG"')))]),
        Message("user", [ToolCall("c", "f", "{}")]),
        Message("system", [PNG]),
    ],
)
def test_what_the_form_cannot_carry_is_refused(message: Message) -> None:
    with pytest.raises(SidecarError) as caught:
        asked(message)
    assert caught.value.type == "unsupported_feature"


def test_what_other_providers_know_stays_behind() -> None:
    foreign = Opaque("{}", Origin("there", "x", "y"))
    parts: list[Part] = [Text("a", opaque=foreign, cache=CacheHint()), Custom(foreign), Reasoning("b", opaque=foreign)]
    body, _ = asked(Message("assistant", parts))
    assert body["messages"] == [{"role": "assistant", "content": "a"}]
    encoded = encode(ChatRequest(messages=[Message("assistant", parts)]))
    assert sorted(warning.type for warning in encoded.warnings) == ["opaque_dropped", "unsupported_parameter"]


@pytest.mark.parametrize(
    ("message", "lack"),
    [
        ('"m-1" does not support thinking', "reasoning"),
        ('think value "high" is not supported for this model', "reasoning"),
        ('"m-1" does not support tools', None),
        ("model not found", None),
    ],
)
def test_what_a_refused_request_should_do_without(message: str, lack: str | None) -> None:
    error = DIALECT.repair(SidecarError("request_rejected", message))
    assert error == lack

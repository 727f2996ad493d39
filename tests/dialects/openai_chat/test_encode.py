"""Requests as Chat Completions wants them."""

import base64
import json
from typing import Any

import msgspec
import pytest
from chat_dialect import ORIGIN, aim
from msgspec import Raw

from sidecar.dialects.contract import HttpRequest
from sidecar.dialects.openai_chat import DIALECT
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
    NamedTool,
    Opaque,
    Origin,
    Part,
    PathSource,
    ProviderTool,
    Reasoning,
    ReasoningOptions,
    Refusal,
    Text,
    TextFormat,
    Tool,
    ToolCall,
    ToolResult,
    UrlSource,
    Warning,
)
from sidecar.schema.errors import SidecarError

HELLO = Message("user", "Hello")
OTHER = Origin("there", "https://other.test", "m-2")
PNG = File("image/png", Base64Source(Raw(b'"iVBO"')))
CACHE_WARNING = Warning(
    "unsupported_parameter", "The provider decides by itself what it caches; it was left out.", "cache"
)
OPAQUE_WARNING = Warning(
    "opaque_dropped", "Provider data in the conversation comes from another model and was left out.", "messages"
)


def encode(request: ChatRequest, **quirks: Any) -> HttpRequest:
    return DIALECT.encode_request(request, aim(**quirks))


def body_of(request: ChatRequest, **quirks: Any) -> dict[str, Any]:
    encoded = encode(request, **quirks)
    assert encoded.warnings == ()
    found: dict[str, Any] = json.loads(encoded.body)
    return found


def messages_of(*messages: Message, **quirks: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body_of(ChatRequest(messages=list(messages)), **quirks)["messages"]
    return found


def parameters_of(request: ChatRequest, **quirks: Any) -> tuple[dict[str, Any], list[str | None]]:
    """Return the members of the body that depend on `request`, and the parameters warned of."""
    encoded = encode(request, **quirks)
    plain = body_of(ChatRequest(messages=request.messages), **quirks)
    body = {name: value for name, value in json.loads(encoded.body).items() if name not in plain}
    return body, [warning.param for warning in encoded.warnings]


def refusal_of(request: ChatRequest, **quirks: Any) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        encode(request, **quirks)
    return caught.value


def test_the_smallest_request() -> None:
    assert encode(ChatRequest(messages=[HELLO])) == HttpRequest(
        "/chat/completions",
        b'{"model":"m-1","messages":[{"role":"user","content":"Hello"}],'
        b'"stream":true,"stream_options":{"include_usage":true}}',
    )
    assert body_of(ChatRequest(messages=[HELLO]), stream_usage=False, obfuscation=True, storage=True) == {
        "model": "m-1",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_obfuscation": False},
        "store": False,
    }
    assert "stream_options" not in body_of(ChatRequest(messages=[HELLO]), stream_usage=False)


def test_sampling_parameters_go_into_the_fields_that_the_server_knows() -> None:
    request = ChatRequest(
        messages=[HELLO],
        max_tokens=10,
        temperature=0.0,
        top_p=0.5,
        top_k=40,
        stop=["\n"],
        seed=0,
        frequency_penalty=0.1,
        presence_penalty=-0.1,
    )
    common = {"temperature": 0.0, "top_p": 0.5, "stop": ["\n"]}
    penalties = {"frequency_penalty": 0.1, "presence_penalty": -0.1}
    assert parameters_of(request) == (common | penalties | {"max_tokens": 10, "seed": 0}, ["top_k"])
    named = {
        "max_tokens_field": "max_completion_tokens",
        "seed_field": "random_seed",
        "penalties": False,
        "top_k": True,
    }
    wanted = common | {"max_completion_tokens": 10, "random_seed": 0, "top_k": 40}
    assert parameters_of(request, **named) == (wanted, ["frequency_penalty", "presence_penalty"])


CLOSED: dict[str, Any] = {"required": [], "additionalProperties": False}
"""What strict schemas say of every object."""


def test_tools_and_the_choice_among_them() -> None:
    tools: list[Tool] = [
        FunctionTool("add", "Adds.", {"type": "object", "properties": {"a": {"type": "integer"}}}, strict=True),
        FunctionTool("now"),
        ProviderTool({"type": "web_search", "depth": 2}),
    ]
    request = ChatRequest(messages=[HELLO], tools=tools, tool_choice=NamedTool("add"), parallel_tool_calls=False)
    wanted = {
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "add",
                    "description": "Adds.",
                    "parameters": {
                        "type": "object",
                        "properties": {"a": {"type": "integer"}},
                        **CLOSED,
                        "required": ["a"],
                    },
                    "strict": True,
                },
            },
            {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
            {"type": "web_search", "depth": 2},
        ],
        "tool_choice": {"type": "function", "function": {"name": "add"}},
    }
    assert parameters_of(request) == (wanted | {"parallel_tool_calls": False}, [])
    assert parameters_of(request, parallel_tool_calls=False) == (wanted, ["parallel_tool_calls"])


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
def test_a_tool_choice_needs_tools(choice: Any) -> None:
    request = ChatRequest(messages=[HELLO], tools=[FunctionTool("f")], tool_choice=choice)
    assert body_of(request)["tool_choice"] == choice
    assert body_of(request, required_tool_choice="any")["tool_choice"] == {"required": "any"}.get(choice, choice)
    toolless = ChatRequest(messages=[HELLO], tool_choice=choice, parallel_tool_calls=True)
    assert parameters_of(toolless) == ({}, ["tool_choice"] if choice == "required" else [])


def test_the_form_of_the_answer() -> None:
    schema = {"type": "object"}
    full = JsonSchemaFormat(schema, "person", "Someone.", strict=True)
    closed = schema | {"properties": {}} | CLOSED
    wire = {"name": "person", "description": "Someone.", "schema": closed, "strict": True}

    def ask(form: Any, **quirks: Any) -> Any:
        return parameters_of(ChatRequest(messages=[HELLO], response_format=form), **quirks)

    assert ask(TextFormat()) == ({}, [])
    assert ask(JsonFormat()) == ({"response_format": {"type": "json_object"}}, [])
    assert ask(full) == ({"response_format": {"type": "json_schema", "json_schema": wire}}, [])
    small = {"name": "answer", "schema": schema}
    assert ask(JsonSchemaFormat(schema)) == ({"response_format": {"type": "json_schema", "json_schema": small}}, [])
    assert ask(JsonFormat(), require_parameters=True)[0]["provider"] == {"require_parameters": True}
    assert ask(TextFormat(), require_parameters=True) == ({}, [])


def test_a_schema_that_the_model_takes_in_no_other_way_is_told_in_words() -> None:
    request = ChatRequest(messages=[HELLO], response_format=JsonSchemaFormat({"type": "object"}))
    encoded = DIALECT.encode_request(request, aim(ModelTraits(structured="prompt")))
    told = (
        "Answer with JSON and nothing else: no explanation, no Markdown. "
        'It must match this JSON Schema:\n{"type":"object"}'
    )
    assert encoded.shaping == Shaping(fenced=True, structured="prompt")
    assert json.loads(encoded.body)["messages"] == [
        {"role": "system", "content": told},
        {"role": "user", "content": "Hello"},
    ]


@pytest.mark.parametrize(
    ("options", "quirks", "body", "warned"),
    [
        (ReasoningOptions("high"), {}, {"reasoning_effort": "high"}, []),
        (ReasoningOptions("none"), {}, {"reasoning_effort": "none"}, []),
        (ReasoningOptions("none"), {"reasoning": "switch"}, {"thinking": {"type": "disabled"}}, []),
        (ReasoningOptions("high"), {"reasoning": "switch"}, {"reasoning_effort": "high"}, []),
        (ReasoningOptions(None, 5), {}, {}, ["reasoning.budget_tokens"]),
        (ReasoningOptions("low", 5), {"reasoning": None}, {}, ["reasoning"]),
        (ReasoningOptions("low"), {"reasoning": "object"}, {"reasoning": {"effort": "low"}}, []),
        (ReasoningOptions(None, 5), {"reasoning": "object"}, {"reasoning": {"max_tokens": 5}}, []),
        (
            ReasoningOptions("low", 5),
            {"reasoning": "object"},
            {"reasoning": {"max_tokens": 5}},
            ["reasoning.effort"],
        ),
        (ReasoningOptions(), {"reasoning": "object"}, {}, []),
        (
            ReasoningOptions("low", 5),
            {"budget_field": "thinking_token_budget"},
            {"reasoning_effort": "low", "thinking_token_budget": 5},
            [],
        ),
        (
            ReasoningOptions("none"),
            {"reasoning": "template"},
            {"chat_template_kwargs": {"enable_thinking": False}},
            [],
        ),
        (
            ReasoningOptions("high", 7),
            {"reasoning": "template", "budget_field": "thinking_budget_tokens"},
            {
                "chat_template_kwargs": {"enable_thinking": True, "reasoning_effort": "high"},
                "thinking_budget_tokens": 7,
            },
            [],
        ),
        (
            ReasoningOptions("none"),
            {"reasoning": "effort_and_template"},
            {"reasoning_effort": "none", "chat_template_kwargs": {"enable_thinking": False}},
            [],
        ),
        (ReasoningOptions("low"), {"reasoning": "effort_and_template"}, {"reasoning_effort": "low"}, []),
    ],
)
def test_how_much_to_think(options: ReasoningOptions, quirks: Any, body: Any, warned: Any) -> None:
    assert parameters_of(ChatRequest(messages=[HELLO], reasoning=options), **quirks) == (body, warned)


def test_provider_options_have_the_last_word() -> None:
    options: dict[str, dict[str, Any]] = {
        "kind": {"min_p": 0.1, "stream": 1},
        "here": {"min_p": 0.2, "models": ["a"]},
        "elsewhere": {"x": 1},
    }
    body = body_of(ChatRequest(messages=[HELLO], temperature=1.0, provider_options=options))
    assert body == {
        "model": "m-1",
        "messages": [{"role": "user", "content": "Hello"}],
        "temperature": 1.0,
        "stream": 1,
        "stream_options": {"include_usage": True},
        "min_p": 0.2,
        "models": ["a"],
    }


def test_what_is_unsupported_is_refused_where_the_host_asks_for_that() -> None:
    error = refusal_of(ChatRequest(messages=[HELLO], top_k=1, on_unsupported="error"))
    assert (error.type, error.message, error.details) == (
        "unsupported_parameter",
        "The provider takes no `top_k`.",
        {"param": "top_k"},
    )


def test_instructions_are_text_under_the_role_that_the_server_knows() -> None:
    messages = [Message("system", "Be brief."), Message("developer", [Text("Be kind."), Text(""), Text("Rhyme.")])]
    brief, kind = {"content": "Be brief."}, {"content": "Be kind.\n\nRhyme."}
    assert messages_of(*messages) == [{"role": "system"} | brief, {"role": "system"} | kind]
    assert messages_of(*messages, developer_role=True) == [{"role": "system"} | brief, {"role": "developer"} | kind]
    assert refusal_of(ChatRequest(messages=[Message("system", [PNG])])).type == "unsupported_feature"


def base64_of(text: str) -> Base64Source:
    return Base64Source(Raw(b'"' + base64.b64encode(text.encode()) + b'"'))


@pytest.mark.parametrize(
    ("file", "part"),
    [
        (PNG, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}),
        (
            File("image/jpeg", UrlSource("https://a.test/x.jpg"), detail="low"),
            {"type": "image_url", "image_url": {"url": "https://a.test/x.jpg", "detail": "low"}},
        ),
        (
            File("application/pdf", Base64Source(Raw(b'"JVBE"')), "a.pdf"),
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
        ),
        (
            File("application/pdf", Base64Source(Raw(b'"JVBE"'))),
            {"type": "file", "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
        ),
        (
            File("audio/x-wav", Base64Source(Raw(b'"UklG"'))),
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        ),
        (
            File("audio/mpeg", Base64Source(Raw(b'"SUQz"'))),
            {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
        ),
        (File("text/plain; charset=utf-8", base64_of("né"), "n.txt"), {"type": "text", "text": "n.txt\n\nné"}),
        (File("application/json", base64_of("{}")), {"type": "text", "text": "{}"}),
    ],
)
def test_files_become_parts(file: File, part: dict[str, Any]) -> None:
    sent = messages_of(Message("user", [Text("Look"), file]))
    assert sent == [{"role": "user", "content": [{"type": "text", "text": "Look"}, part]}]


@pytest.mark.parametrize(
    ("file", "quirks", "error_type"),
    [
        (File("image/png", UrlSource("https://a.test/x")), {"image_urls": False}, "unsupported_feature"),
        (File("image/png", PathSource("/a.png")), {}, "unsupported_feature"),
        (File("application/pdf", UrlSource("https://a.test/x")), {}, "unsupported_feature"),
        (File("audio/ogg", Base64Source(Raw(b'"T2dn"'))), {}, "unsupported_feature"),
        (File("video/mp4", Base64Source(Raw(b'"AAAA"'))), {}, "unsupported_feature"),
        (File("text/plain", Base64Source(Raw(b'"?"'))), {}, "invalid_params"),
        (File("text/plain", Base64Source(Raw(b'"/w=="'))), {}, "invalid_params"),
    ],
)
def test_files_that_cannot_be_sent_are_refused(file: File, quirks: Any, error_type: str) -> None:
    assert refusal_of(ChatRequest(messages=[Message("user", [file])]), **quirks).type == error_type


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ([Text("a")], "a"),
        ([Text("a"), Text("b")], [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
        ([Text(""), PNG], [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}]),
    ],
)
def test_content_is_as_plain_as_can_be(content: Any, sent: Any) -> None:
    assert messages_of(Message("user", content)) == [{"role": "user", "content": sent}]


@pytest.mark.parametrize("content", ["", [], [Text("")]])
def test_a_message_that_says_nothing_is_left_out(content: Any) -> None:
    messages = [Message("assistant", content), Message("user", content), HELLO]
    assert messages_of(*messages) == [{"role": "user", "content": "Hello"}]


def test_a_tool_conversation() -> None:
    wire_calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    calls: list[Part] = [ToolCall("c1", "f", '{"a": 1}'), ToolCall("c2", "g", "")]
    results: list[Part] = [ToolResult("c1", "one"), ToolResult("c2", [Text("no"), Text("way")], is_error=True)]
    sent = messages_of(HELLO, Message("assistant", calls), Message("tool", results), Message("assistant", "Done."))
    assert sent == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": None, "tool_calls": wire_calls},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": "Error: no\nway"},
        {"role": "assistant", "content": "Done."},
    ]
    answered = Message("tool", results)
    assert messages_of(Message("assistant", calls), answered, content_null=False)[0]["content"] == ""
    spoken = messages_of(Message("assistant", [Text("I "), Text("look."), *calls]), answered)
    assert spoken[0] == {"role": "assistant", "content": "I look.", "tool_calls": wire_calls}


def test_files_of_tool_results_follow_the_last_result() -> None:
    label = {"type": "text", "text": "Files that belong to the result of the tool call c1:"}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}
    call = Message("assistant", [ToolCall("c1", "f", "{}"), ToolCall("c2", "f", "{}")])
    first = Message("tool", [ToolResult("c1", [PNG])])
    second = Message("tool", [ToolResult("c2", "two")])
    told = {"role": "tool", "tool_call_id": "c1", "content": "The result is in the files that follow."}
    results = [told, {"role": "tool", "tool_call_id": "c2", "content": "two"}]
    assert messages_of(call, first, second)[1:] == [*results, {"role": "user", "content": [label, image]}]
    assert messages_of(call, first, second, HELLO)[1:] == [
        *results,
        {"role": "user", "content": [label, image, {"type": "text", "text": "Hello"}]},
    ]
    assert messages_of(call, first, second, Message("assistant", "Ok"))[1:] == [
        *results,
        {"role": "user", "content": [label, image]},
        {"role": "assistant", "content": "Ok"},
    ]


def test_results_in_a_message_of_the_user_are_results_all_the_same() -> None:
    call = Message("assistant", [ToolCall("c1", "f", "{}")])
    assert messages_of(call, Message("user", [ToolResult("c1", "one"), Text("And?")]))[1:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "user", "content": "And?"},
    ]
    assert messages_of(call, Message("user", [ToolResult("c1", "one")]))[1:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "one"}
    ]


@pytest.mark.parametrize(
    ("message", "error_type"),
    [
        (Message("tool", "one"), "invalid_params"),
        (Message("tool", [Text("one")]), "invalid_params"),
        (Message("user", [ToolCall("c", "f", "{}")]), "unsupported_feature"),
        (Message("user", [Reasoning("Hm")]), "unsupported_feature"),
        (Message("assistant", [ToolResult("c", "one")]), "unsupported_feature"),
        (Message("user", [Custom(Opaque("{", ORIGIN))]), "invalid_params"),
    ],
)
def test_parts_in_the_wrong_place_are_refused(message: Message, error_type: str) -> None:
    assert refusal_of(ChatRequest(messages=[message])).type == error_type


def test_ids_of_nine_characters_are_made_where_the_server_wants_them() -> None:
    conversation = [
        Message(
            "assistant", [ToolCall("call_1", "f", "{}"), ToolCall("abc123XYZ", "f", "{}"), ToolCall("é", "f", "{}")]
        ),
        Message("tool", [ToolResult("call_1", ""), ToolResult("abc123XYZ", ""), ToolResult("é", "")]),
    ]
    sent = messages_of(*conversation, nine_character_ids=True)
    ids = [call["id"] for call in sent[0]["tool_calls"]]
    assert [message["tool_call_id"] for message in sent[1:]] == ids
    assert ids[1] == "abc123XYZ"
    assert len(set(ids)) == 3
    assert all(len(made) == 9 and made.isascii() and made.isalnum() for made in ids)
    assert messages_of(*conversation, nine_character_ids=True) == sent


def test_reasoning_goes_back_only_in_the_field_that_the_server_reads() -> None:
    call: list[Part] = [Reasoning("Hm"), Reasoning("."), ToolCall("c", "f", "{}")]
    result = Message("tool", [ToolResult("c", "")])
    sent, _ = messages_of(Message("assistant", call), result, reasoning_echo="reasoning_content")
    assert sent["reasoning_content"] == "Hm."
    sent, _ = messages_of(Message("assistant", call), result)
    assert sent.keys() == {"role", "content", "tool_calls"}
    (sent,) = messages_of(Message("assistant", [Reasoning("Hm"), Text("A")]), reasoning_echo="reasoning_content")
    assert sent == {"role": "assistant", "content": "A"}


def test_reasoning_of_which_nothing_is_known_goes_back_as_nothing_where_it_must_go_back() -> None:
    conversation = [Message("assistant", [ToolCall("c", "f", "{}")]), Message("tool", [ToolResult("c", "")])]
    echo = {"reasoning_echo": "reasoning_content"}
    assert "reasoning_content" not in messages_of(*conversation, **echo)[0]
    assert messages_of(*conversation, **echo, reasoning_echo_required=True)[0]["reasoning_content"] == ""
    request = ChatRequest(messages=conversation)
    lacking = aim(lacks={"opaque"}, **echo, reasoning_echo_required=True)
    assert "reasoning_content" not in json.loads(DIALECT.encode_request(request, lacking).body)["messages"][0]


def test_reasoning_details_go_back_verbatim_to_where_they_came_from() -> None:
    data = '[{"type": "reasoning.text", "n": 1.50, "text": "\\u0048"}]'
    mine = Message("assistant", [Reasoning("H", opaque=Opaque(data, ORIGIN)), Text("A")])
    encoded = encode(ChatRequest(messages=[mine]), reasoning_echo="reasoning")
    assert encoded.warnings == ()
    assert f'"reasoning_details":[{data[1:-1]}]'.encode() in encoded.body
    theirs = Message("assistant", [Reasoning("H", opaque=Opaque(data, OTHER)), Text("A")])
    encoded = encode(ChatRequest(messages=[theirs, theirs], on_unsupported="error"))
    assert encoded.warnings == (OPAQUE_WARNING,)
    assert json.loads(encoded.body)["messages"] == [{"role": "assistant", "content": "A"}] * 2
    broken = Message("assistant", [Reasoning("H", opaque=Opaque('{"a":1', ORIGIN)), Text("A")])
    assert refusal_of(ChatRequest(messages=[broken])).type == "invalid_params"


def test_signed_thoughts_go_back_as_the_part_of_the_content_that_they_were() -> None:
    data = '{"type":"thinking","thinking":[{"type":"text","text":"Hm"}],"signature":"s","closed":true}'
    said = Message("assistant", [Reasoning("Hm", opaque=Opaque(data, ORIGIN)), Text("A")])
    assert messages_of(said)[0]["content"] == [json.loads(data), {"type": "text", "text": "A"}]


def test_parts_of_a_provider_go_back_to_it_alone() -> None:
    own, foreign = Custom(Opaque('{"type": "video", "n": 1.0}', ORIGIN)), Custom(Opaque("{}", OTHER))
    encoded = encode(ChatRequest(messages=[Message("user", [Text("a"), own])]))
    assert b'"content":[{"type":"text","text":"a"},{"type": "video", "n": 1.0}]' in encoded.body
    encoded = encode(ChatRequest(messages=[Message("user", [Text("a", opaque=Opaque("1", OTHER)), foreign])]))
    assert encoded.warnings == (OPAQUE_WARNING,)
    assert json.loads(encoded.body)["messages"] == [{"role": "user", "content": "a"}]


def test_a_refusal_is_sent_as_the_words_it_is() -> None:
    assert messages_of(Message("assistant", [Refusal("I can't.")])) == [{"role": "assistant", "content": "I can't."}]


def test_cache_hints_are_marks_or_warnings() -> None:
    request = ChatRequest(
        messages=[
            Message("system", [Text("Long", cache=CacheHint("1h"))]),
            Message("user", [Text("a", cache=CacheHint())]),
        ],
        tools=[FunctionTool("f", cache=CacheHint())],
    )
    body = body_of(request, cache_control=True)
    assert body["messages"] == [
        {
            "role": "system",
            "content": [{"type": "text", "text": "Long", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        },
        {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
    ]
    assert body["tools"][0]["cache_control"] == {"type": "ephemeral"}
    encoded = encode(request)
    assert encoded.warnings == (CACHE_WARNING,)
    assert msgspec.json.decode(encoded.body)["messages"][1] == {"role": "user", "content": "a"}
    call = Message("assistant", [ToolCall("c", "f", "{}")])
    result = Message("tool", [ToolResult("c", "one", cache=CacheHint())])
    assert encode(ChatRequest(messages=[call, result])).warnings == (CACHE_WARNING,)

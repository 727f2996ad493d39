from typing import Any

import pytest
from local_models import target_for
from msgspec import Raw

from sidecar.engines.llama.protocol import Chat, Sampling, Turn
from sidecar.engines.llama.request import encode, turns
from sidecar.schema.chat import (
    Base64Source,
    ChatRequest,
    File,
    JsonFormat,
    JsonSchemaFormat,
    Message,
    ProviderTool,
    ReasoningOptions,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from sidecar.schema.errors import SidecarError

TARGET = target_for("/models/tiny.gguf")
HI = [Message("user", "hi")]


def encoded(**options: Any) -> Chat:
    asked = encode(ChatRequest(messages=HI, **options), TARGET)
    assert asked.warnings == []
    return asked.chat


def test_a_plain_question() -> None:
    assert encoded() == Chat(0, [Turn("user", "hi")])


def test_options_are_handed_on() -> None:
    chat = encoded(
        max_tokens=7, temperature=0.0, top_p=0.5, top_k=3, seed=-1, frequency_penalty=1.0, presence_penalty=2.0
    )
    assert chat == Chat(0, [Turn("user", "hi")], sampling=Sampling(0.0, 0.5, 3, 0xFFFFFFFF, 1.0, 2.0), max_tokens=7)


def test_an_empty_stop_string_stops_nothing() -> None:
    assert encoded(stop=["", "END"]).stop == ["END"]


def test_formats_become_schemas() -> None:
    assert encoded(response_format=JsonFormat()).schema == {"type": "object"}
    assert encoded(response_format=JsonSchemaFormat({"type": "string"})).schema == {"type": "string"}


def test_a_conversation_is_plain_turns() -> None:
    conversation = [
        Message("developer", "Be brief."),
        Message("user", [Text("What time"), Text("is it?")]),
        Message("assistant", [ToolCall("1", "clock", '{"zone":"UTC"}')]),
        Message("tool", [ToolResult("1", "12:00")]),
        Message("tool", [ToolResult("2", [Text("broken")], is_error=True)]),
        Message("assistant", [Refusal("No.")]),
    ]
    assert turns(conversation) == [
        Turn("system", "Be brief."),
        Turn("user", "What time\n\nis it?"),
        Turn("assistant", '{"tool":"clock","arguments":{"zone":"UTC"}}'),
        Turn("user", "[The tool clock answers: 12:00]\n\n[The tool fails: broken]"),
        Turn("assistant", "No."),
    ]


DOT = File("image/png", Base64Source(Raw(b'"eA=="')))
PICTURE = Message("user", [DOT, Text("What is this?")])


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"tools": [ProviderTool({"type": "web_search"})]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"reasoning": ReasoningOptions("high")}, "reasoning"),
        ({"provider_options": {"local": {"mirostat": 2}}}, "provider_options"),
        ({"messages": [PICTURE]}, "messages"),
        (
            {"messages": [Message("tool", [ToolResult("1", [File("image/png", Base64Source(Raw(b'"eA=="')))])])]},
            "messages",
        ),
    ],
)
def test_what_local_models_lack_is_a_warning_or_an_error(options: dict[str, Any], param: str) -> None:
    asked = {"messages": HI} | options
    warnings = encode(ChatRequest(**asked), TARGET).warnings
    assert [warning.param for warning in warnings] == [param]
    with pytest.raises(SidecarError) as raised:
        encode(ChatRequest(**asked, on_unsupported="error"), TARGET)
    assert (raised.value.type, raised.value.details["param"]) == ("unsupported_feature", param)


def test_options_for_other_providers_are_none_of_ours() -> None:
    assert encoded(provider_options={"elsewhere": {"a": 1}}, tool_choice="auto") == Chat(0, [Turn("user", "hi")])


@pytest.mark.parametrize(("options", "param"), [({"messages": []}, "messages"), ({"max_tokens": 0}, "max_tokens")])
def test_what_cannot_be_right_is_refused(options: dict[str, Any], param: str) -> None:
    with pytest.raises(SidecarError) as raised:
        encode(ChatRequest(**({"messages": HI} | options)), TARGET)
    assert (raised.value.type, raised.value.details["param"]) == ("invalid_params", param)

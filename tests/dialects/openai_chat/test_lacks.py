"""What a refused request goes without, and counting."""

import json
from typing import Any

import pytest
from chat_dialect import aim

from sidecar.dialects.contract import HttpRequest
from sidecar.dialects.openai_chat import DIALECT
from sidecar.dialects.traits import ModelTraits
from sidecar.schema.chat import CacheHint, ChatRequest, FunctionTool, JsonFormat, Message, ReasoningOptions, Text
from sidecar.schema.errors import SidecarError

REQUEST = ChatRequest(
    messages=[Message("user", [Text("json", cache=CacheHint())])],
    max_tokens=5,
    temperature=0.5,
    tools=[FunctionTool("f")],
    tool_choice="required",
    response_format=JsonFormat(),
    reasoning=ReasoningOptions("low"),
)
QUIRKS: dict[str, Any] = {"cache_control": True, "parsed_reasoning": True}


def body(*lacks: str) -> dict[str, Any]:
    traits = ModelTraits(thinks_aloud=True)
    found: dict[str, Any] = json.loads(DIALECT.encode_request(REQUEST, aim(traits, lacks, **QUIRKS)).body)
    return found


@pytest.mark.parametrize(
    ("message", "param", "lack", "gone"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported.", "max_tokens", "max_tokens", {"max_tokens"}),
        ("Unrecognized request argument supplied: stream_options", None, "stream_usage", {"stream_options"}),
        ("`temperature` is not supported", None, "temperature", {"temperature"}),
        ("`reasoning_format` is not supported with this model", None, "reasoning_format", {"reasoning_format"}),
        ('"m" does not support thinking', None, "reasoning", {"reasoning_effort"}),
        ('think value "low" is not supported for this model', None, "reasoning", {"reasoning_effort"}),
        ("property 'messages.0.content.0.cache_control' is unsupported", None, "cache", set()),
        ("property 'reasoning_content' is unsupported", None, "opaque", set()),
        ("response_format is not supported", "response_format", "response_format", {"response_format"}),
        ("tool_choice is not supported", "tool_choice", "tool_choice", set()),
    ],
)  # fmt: skip
def test_a_refused_parameter_is_left_out_of_the_next_request(
    message: str, param: str | None, lack: str, gone: set[str]
) -> None:
    error = SidecarError("request_rejected", message, param=param)
    assert DIALECT.repair(error) == lack
    assert body().keys() - body(lack).keys() == gone


def test_a_length_goes_by_its_other_name_where_one_is_refused() -> None:
    assert body("max_tokens")["max_completion_tokens"] == 5
    target = aim(lacks={"max_tokens"}, max_tokens_field="max_completion_tokens")
    assert json.loads(DIALECT.encode_request(REQUEST, target).body)["max_tokens"] == 5


def test_marks_for_the_cache_are_left_out_and_reported() -> None:
    assert body()["messages"][-1]["content"][0]["cache_control"] == {"type": "ephemeral"}
    encoded = DIALECT.encode_request(REQUEST, aim(lacks={"cache"}, **QUIRKS))
    assert b"cache_control" not in encoded.body
    assert [warning.param for warning in encoded.warnings] == ["cache"]


@pytest.mark.parametrize("message", ["Invalid value for temperature", "The server is busy"])
def test_what_names_no_unknown_parameter_cannot_be_repaired(message: str) -> None:
    assert DIALECT.repair(SidecarError("request_rejected", message)) is None


def test_tokens_are_counted_where_the_server_does_that() -> None:
    request = ChatRequest(messages=[Message("user", "Hi")], tools=[FunctionTool("f")], max_tokens=5)
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    assert DIALECT.encode_count(request, aim()) is None
    encoded = DIALECT.encode_count(request, aim(count_path="/tokenize"))
    assert isinstance(encoded, HttpRequest)
    assert (encoded.path, json.loads(encoded.body)) == (
        "/tokenize",
        {
            "model": "m-1",
            "messages": [{"role": "user", "content": "Hi"}],
            "tools": [{"type": "function", "function": function}],
        },
    )
    assert DIALECT.decode_count(b'{"count":17,"max_model_len":4096,"tokens":[1,2]}') == 17
    for reply in (b"{}", b'{"count":null}', b"[]"):
        with pytest.raises(SidecarError) as caught:
            DIALECT.decode_count(reply)
        assert caught.value.type == "malformed_response"

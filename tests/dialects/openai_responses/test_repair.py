from typing import Any

import msgspec
import pytest

from sidecar.dialects.contract import HttpResponse
from sidecar.dialects.openai_responses import DIALECT
from sidecar.schema.chat import ChatRequest, Message

REQUEST = ChatRequest(messages=[Message("user", "hi")])


def repaired(status: int = 400, **error: Any) -> str | None:
    response = HttpResponse(status, {}, msgspec.json.encode({"error": {"type": "invalid_request_error", **error}}))
    return DIALECT.repair(DIALECT.decode_error(response))


@pytest.mark.parametrize(
    ("param", "field"),
    [
        ("temperature", "temperature"),
        ("top_p", "top_p"),
        ("max_output_tokens", "max_tokens"),
        ("reasoning", "reasoning"),
        ("reasoning.effort", "reasoning"),
        ("reasoning.summary", "reasoning.summary"),
        ("text.format", "response_format"),
        ("text", "response_format"),
        ("tool_choice", "tool_choice"),
        ("parallel_tool_calls", "parallel_tool_calls"),
        ("include", "opaque"),
        ("input[0].content[0].prompt_cache_breakpoint", "cache"),
        ("store", None),
    ],
)
def test_a_parameter_that_is_refused_is_left_out(param: str, field: str | None) -> None:
    message = f"Unsupported parameter: '{param.rpartition('.')[2] if '[' in param else param}' is not supported."
    assert repaired(message=message, param=param) == field


@pytest.mark.parametrize(
    ("error", "field"),
    [
        ({"code": "invalid_encrypted_content", "message": "The encrypted content could not be verified."}, "opaque"),
        ({"message": "Item 'rs_1' of type 'reasoning' was provided without its required following item."}, "opaque"),
        (
            {"message": "Item 'fc_1' was provided without its required 'reasoning' item: 'rs_1'."},
            "opaque",
        ),
        ({"message": "Encrypted content is not supported with this model.", "param": "include"}, "opaque"),
        (
            {
                "message": "Your organization must be verified to generate reasoning summaries.",
                "param": "reasoning.summary",
            },
            "reasoning.summary",
        ),
        ({"message": "Invalid type for 'temperature': expected a number.", "param": "temperature"}, None),
        ({"message": "The text of the request is not supported in your country."}, None),
    ],
)
def test_an_error_says_what_the_request_should_do_without(error: dict[str, Any], field: str | None) -> None:
    assert repaired(**error) == field


def test_nothing_is_left_out_for_other_troubles() -> None:
    assert repaired(401, message="temperature is not supported", code="invalid_api_key") is None

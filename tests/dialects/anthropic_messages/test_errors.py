"""What the server refuses, and what may help."""

import json

import pytest

from sidecar.dialects.anthropic_messages import DIALECT
from sidecar.dialects.contract import HttpResponse
from sidecar.schema.chat import ChatRequest, Message
from sidecar.schema.errors import SidecarError

QUESTION = ChatRequest(messages=[Message("user", "?")])


def error_of(status: int, kind: str, message: str = "m", code: str | None = None) -> SidecarError:
    details = {"error_code": code} if code else None
    error = {"type": kind, "message": message, "details": details}
    body = json.dumps({"type": "error", "error": error, "request_id": "req_1"}).encode()
    return DIALECT.decode_error(HttpResponse(status, {}, body))


@pytest.mark.parametrize(
    ("status", "kind", "error_type"),
    [
        (400, "invalid_request_error", "request_rejected"),
        (401, "authentication_error", "authentication"),
        (402, "billing_error", "insufficient_quota"),
        (403, "permission_error", "permission_denied"),
        (404, "not_found_error", "request_rejected"),
        (408, "timeout_error", "timeout"),
        (409, "conflict_error", "server_error"),
        (412, "precondition_error", "request_rejected"),
        (413, "request_too_large", "payload_too_large"),
        (422, "unprocessable_error", "request_rejected"),
        (429, "rate_limit_error", "rate_limited"),
        (499, "cancelled", "server_error"),
        (500, "api_error", "server_error"),
        (503, "unavailable", "provider_overloaded"),
        (504, "timeout_error", "timeout"),
        (529, "overloaded_error", "provider_overloaded"),
    ],
)
def test_every_status_has_its_type(status: int, kind: str, error_type: str) -> None:
    error = error_of(status, kind)
    assert (error.type, error.details["provider_code"], error.details["http_status"]) == (error_type, kind, status)
    assert error.details["provider_request_id"] == "req_1"


@pytest.mark.parametrize(
    ("message", "error_type"),
    [
        ("prompt is too long: 210000 tokens > 200000 maximum", "context_length_exceeded"),
        (
            "input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000, decrease input length",
            "context_length_exceeded",
        ),
        ("Your credit balance is too low to access the API.", "insufficient_quota"),
        ("You have reached your specified workspace API usage limits.", "insufficient_quota"),
        ("Output blocked by content filtering policy", "content_filtered"),
        ("max_tokens: must be at least 1", "request_rejected"),
    ],
)
def test_words_tell_what_a_bad_request_is(message: str, error_type: str) -> None:
    assert error_of(400, "invalid_request_error", message).type == error_type


@pytest.mark.parametrize(
    ("status", "code", "error_type"),
    [
        (400, "organization_on_hold", "insufficient_quota"),
        (400, "image_dimensions_too_large", "request_rejected"),
        (400, "tool_name_conflict", "request_rejected"),
        (402, "linked_organization_spend_limit_reached", "insufficient_quota"),
        (429, "enforced_spend_limit_reached", "insufficient_quota"),
        (429, "contract_spend_limit_reached", "insufficient_quota"),
        (429, "ramp_limit_exceeded", "rate_limited"),
    ],
)
def test_codes_tell_more_than_statuses(status: int, code: str, error_type: str) -> None:
    error = error_of(status, "x_error", "m", code)
    assert (error.type, error.details["provider_code"]) == (error_type, code)


def test_a_model_that_is_not_there() -> None:
    assert error_of(404, "not_found_error", "model: claude-3-opus-20240229").type == "model_not_found"


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("`temperature` is deprecated for this model.", "temperature"),
        ("temperature: Extra inputs are not permitted", "temperature"),
        ("`temperature` and `top_p` cannot both be specified for this model. Please use only one.", "top_p"),
        ("`top_k` is not supported on this model", "top_k"),
        ("stop_sequences: Extra inputs are not permitted", "stop"),
        ("thinking.type.enabled is not supported for this model", "reasoning"),
        ("output_config.effort: Extra inputs are not permitted", "reasoning"),
        ("output_config.format: Extra inputs are not permitted", "response_format"),
        ("tool_choice: forcing a tool is not supported by this model", "tool_choice"),
        ("tool_choice.disable_parallel_tool_use: Extra inputs are not permitted", "parallel_tool_calls"),
        ("cache_control: Extra inputs are not permitted", "cache"),
        ("messages.1.content.0: Invalid `signature` in `thinking` block", "opaque"),
        ("The block is bound to a different conversation", "opaque"),
        ("`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.", "opaque"),
        ("messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.", "reasoning"),
        ("max_tokens: must be at least 1", None),
        ("temperature: range: 0..1", None),
        ("prompt is too long: 210000 tokens > 200000 maximum", None),
    ],
)
def test_a_refused_request_can_do_without_what_the_error_names(message: str, field: str | None) -> None:
    assert DIALECT.repair(error_of(400, "invalid_request_error", message)) == field


def test_other_errors_are_not_repaired() -> None:
    assert DIALECT.repair(error_of(529, "overloaded_error", "`temperature` is not supported")) is None

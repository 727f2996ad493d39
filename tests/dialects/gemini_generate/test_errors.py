"""Errors of generateContent, and what a refused request should do without."""

import json
from typing import Any

import pytest
from generate_dialect import aim

from sidecar.dialects.contract import HttpResponse
from sidecar.dialects.gemini_generate import DIALECT
from sidecar.schema.errors import SidecarError

QUOTA = "type.googleapis.com/google.rpc.QuotaFailure"
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36.5s"}


def error(code: int, message: str, status: str | None = None, *details: Any, array: bool = False) -> SidecarError:
    """Return what is made of an error in the form of the server."""
    body: Any = {"error": {"code": code, "message": message, "status": status, "details": list(details)}}
    text = json.dumps([body] if array else body, indent=2)
    return DIALECT.decode_error(HttpResponse(code, {"content-type": "application/json"}, text.encode()))


@pytest.mark.parametrize(
    ("code", "status", "type_"),
    [
        (400, "INVALID_ARGUMENT", "request_rejected"),
        (400, "FAILED_PRECONDITION", "request_rejected"),
        (400, "OUT_OF_RANGE", "request_rejected"),
        (401, "UNAUTHENTICATED", "authentication"),
        (402, "RESOURCE_EXHAUSTED", "insufficient_quota"),
        (403, "PERMISSION_DENIED", "permission_denied"),
        (404, "NOT_FOUND", "request_rejected"),
        (409, "ABORTED", "server_error"),
        (429, "RESOURCE_EXHAUSTED", "rate_limited"),
        (499, "CANCELLED", "server_error"),
        (500, "INTERNAL", "server_error"),
        (500, "UNKNOWN", "server_error"),
        (500, "DATA_LOSS", "server_error"),
        (501, "UNIMPLEMENTED", "server_error"),
        (503, "UNAVAILABLE", "provider_overloaded"),
        (504, "DEADLINE_EXCEEDED", "timeout"),
    ],
)
def test_every_status_has_its_meaning(code: int, status: str, type_: str) -> None:
    found = error(code, "Oh.", status)
    assert (found.type, found.details["http_status"], found.details["provider_code"]) == (type_, code, status)
    assert error(code, "Oh.", status, array=True).type == type_


@pytest.mark.parametrize(
    ("message", "type_"),
    [
        (
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            "context_length_exceeded",
        ),
        ("User location is not supported for the API use.", "permission_denied"),
        (
            "The free tier is not available in your country. Please enable billing on your project.",
            "insufficient_quota",
        ),
    ],
)
def test_a_bad_request_is_told_by_its_words(message: str, type_: str) -> None:
    assert error(400, message, "INVALID_ARGUMENT").type == type_


def test_a_bad_key_is_told_by_its_reason() -> None:
    reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    found = error(400, "API key not valid.", "INVALID_ARGUMENT", reason)
    assert (found.type, found.details["provider_code"]) == ("authentication", "API_KEY_INVALID")


def test_a_missing_model_is_told_from_a_missing_page() -> None:
    assert error(404, "models/x is not found for API version v1beta.", "NOT_FOUND").type == "model_not_found"


@pytest.mark.parametrize(
    ("quota", "type_"),
    [
        ("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "rate_limited"),
        ("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "insufficient_quota"),
    ],
)
def test_a_quota_for_a_day_is_no_limit_of_a_moment(quota: str, type_: str) -> None:
    violations = {"@type": QUOTA, "violations": [{"quotaMetric": "m", "quotaId": quota}]}
    found = error(429, "You exceeded your current quota.", "RESOURCE_EXHAUSTED", violations, RETRY)
    assert (found.type, found.details["retry_after_ms"]) == (type_, 36_500)


def test_the_field_at_fault_is_named() -> None:
    violations = [{"field": "generation_config.top_k", "description": "Not supported."}]
    detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}
    found = error(400, "Not supported.", "INVALID_ARGUMENT", detail)
    assert found.details["param"] == "generation_config.top_k"
    assert DIALECT.repair(found) == "top_k"


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (
            "Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.",
            "reasoning",
        ),
        ("Thinking is not enabled for models/m-1", "reasoning"),
        ("Budget 0 is invalid. This model only works in thinking mode.", "reasoning"),
        ("You can only set only one of thinking budget and thinking level.", "reasoning"),
        ("Unknown name \"includeThoughts\" at 'generation_config.thinking_config': Cannot find field.", "reasoning"),
        ("Penalty is not enabled for models/m-1", "frequency_penalty"),
        ("Presence_penalty is not supported.", "presence_penalty"),
        ("JSON mode is not enabled for models/m-1", "response_format"),
        ("Unknown name \"responseJsonSchema\" at 'generation_config': Cannot find field.", "response_format"),
        ("The specified schema produces a constraint that has too many states for serving.", "response_format"),
        ("Function calling with a response mime type: 'application/json' is unsupported", "response_format"),
        ("temperature is deprecated for this model.", "temperature"),
        ("Unknown name \"topK\" at 'generation_config'", "top_k"),
        ("Corrupted thought signature.", "opaque"),
        ("Thought signature is not valid", "opaque"),
        ("Function call is missing a thought_signature in functionCall parts.", "opaque"),
        ("Invalid value at 'generation_config.seed' (TYPE_INT32), 99999999999", None),
        ("temperature must be in the range [0, 2].", None),
        ("Please use a valid role: user, model.", None),
        ("Request contains an invalid argument.", None),
    ],
)
def test_a_refused_parameter_is_found(message: str, field: str | None) -> None:
    assert DIALECT.repair(error(400, message, "INVALID_ARGUMENT")) == field


def test_nothing_is_left_out_for_another_failure() -> None:
    assert DIALECT.repair(error(503, "Thinking is not supported.", "UNAVAILABLE")) is None


@pytest.mark.parametrize("status", [400, 429, 500])
@pytest.mark.parametrize(
    "body", [b"", b"[", b"[]", b"{}", b"null", b"\xff", b'[{"error":7}]', b'{"error":{"details":[[]]}}']
)
def test_any_body_is_an_error(status: int, body: bytes) -> None:
    assert DIALECT.decode_error(HttpResponse(status, {}, body)).details["http_status"] == status
    with pytest.raises(SidecarError):
        DIALECT.decode_answer(body, aim())

"""Error responses, as providers and the servers in between give them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.dialects.contract import HttpResponse
from sidecar.dialects.openai_chat import DIALECT
from sidecar.schema.errors import SidecarError


def error_of(status: int, body: Any, **headers: str) -> SidecarError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.decode_error(HttpResponse(status, {k.replace("_", "-"): v for k, v in headers.items()}, data))


def wrapped(message: str = "m", **members: Any) -> dict[str, Any]:
    return {"error": {"message": message} | members}


@pytest.mark.parametrize(
    ("status", "body", "error_type"),
    [
        (401, wrapped(type="invalid_request_error", code="invalid_api_key"), "authentication"),
        (401, {"statusCode": 401, "message": "Unauthorized. Access token is missing."}, "authentication"),
        (400, wrapped(code="API_KEY_INVALID"), "authentication"),
        (402, wrapped("Insufficient Balance", code="invalid_request_error"), "insufficient_quota"),
        (402, wrapped(code=402, metadata={"limit_source": "the_in_flight_budget"}), "rate_limited"),
        (403, wrapped(code="unsupported_country_region_territory"), "permission_denied"),
        (403, wrapped(code=403, metadata={"reasons": ["violence"], "flagged_input": "SECRET"}), "content_filtered"),
        (403, wrapped("`inputs` tokens + `max_new_tokens` must be <= 8193"), "context_length_exceeded"),
        (404, wrapped("The model `x` does not exist", code="model_not_found"), "model_not_found"),
        (404, wrapped("The API deployment does not exist", code="DeploymentNotFound"), "model_not_found"),
        (404, {"error": 'model "x" not found, try pulling it first'}, "model_not_found"),
        (404, wrapped("No endpoints found for a/b.", code=404), "model_not_found"),
        (404, {"detail": "Not Found"}, "request_rejected"),
        (404, b"404 page not found", "request_rejected"),
        (405, b"", "request_rejected"),
        (408, b"", "timeout"),
        (409, wrapped(), "server_error"),
        (413, wrapped("Too big"), "payload_too_large"),
        (413, wrapped("Request too large", type="tokens", code="rate_limit_exceeded"), "insufficient_quota"),
        (422, {"detail": [{"loc": ["body"], "msg": "Bad", "input": "SECRET"}]}, "request_rejected"),
        (422, {"object": "error", "message": {"detail": [{"msg": "Bad"}]}, "type": "x"}, "request_rejected"),
        (424, wrapped(), "server_error"),
        (429, wrapped(type="tokens", code="rate_limit_exceeded"), "rate_limited"),
        (429, wrapped("Too many tokens, slow down"), "rate_limited"),
        (429, wrapped(type="insufficient_quota", code="insufficient_quota"), "insufficient_quota"),
        (429, wrapped(type="invalid_request_error", code="organization_spend_limit_exceeded"), "insufficient_quota"),
        (429, wrapped("retry after 6 seconds", code="429"), "rate_limited"),
        (498, wrapped(), "provider_overloaded"),
        (499, wrapped(), "server_error"),
        (500, wrapped(type="server_error"), "server_error"),
        (
            500,
            wrapped("Trying to keep the first tokens: prompt is greater than the context length"),
            "context_length_exceeded",
        ),
        (502, wrapped(code=502, metadata={"error_type": "provider_unavailable"}), "server_error"),
        (503, wrapped("Loading model", type="unavailable_error", code=503), "provider_overloaded"),
        (503, wrapped(code="server_is_overloaded", type="service_unavailable_error"), "provider_overloaded"),
        (504, b"", "timeout"),
        (524, b"<html>", "provider_overloaded"),
        (529, wrapped(metadata={"error_type": "provider_overloaded"}), "provider_overloaded"),
        (599, b"", "server_error"),
        (418, b"", "request_rejected"),
        (400, wrapped(code="context_length_exceeded"), "context_length_exceeded"),
        (400, wrapped("This model's maximum context length is 4096 tokens.", code=400), "context_length_exceeded"),
        (400, wrapped("Current length is 9 while limit is 8"), "context_length_exceeded"),
        (400, wrapped("Invalid 'user': maximum context length", code="string_above_max_length"), "request_rejected"),
        (400, wrapped(code=400, metadata={"error_type": "token_limit_exceeded"}), "context_length_exceeded"),
        (
            400,
            wrapped("Provider returned error", metadata={"raw": json.dumps(wrapped("prompt is too long: 9 > 8"))}),
            "context_length_exceeded",
        ),
        (400, {"object": "error", "message": "maximum context length", "code": 400}, "context_length_exceeded"),
        (400, wrapped(code="content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}), "content_filtered"),
        (400, wrapped(code=None, innererror={"code": "ResponsibleAIPolicyViolation"}), "content_filtered"),
        (400, wrapped("triggering the content management policy"), "content_filtered"),
        (400, wrapped(code="invalid_prompt"), "content_filtered"),
        (400, wrapped(code="tool_use_failed", type="invalid_request_error"), "server_error"),
        (400, wrapped(code="unsupported_parameter", param="temperature"), "unsupported_parameter"),
        (400, {"code": "invalid-argument", "error": "Bad argument"}, "request_rejected"),
        (400, [wrapped("Bad", status="INVALID_ARGUMENT")], "request_rejected"),
    ],
)
def test_the_body_says_more_than_the_status(status: int, body: Any, error_type: str) -> None:
    error = error_of(status, body)
    assert error.type == error_type
    assert error.details["http_status"] == status
    assert "SECRET" not in str(error.to_object())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (wrapped("It  is\nso."), "It is so."),
        ({"error": "text"}, "text"),
        ({"detail": [{"loc": ["body", "messages", 0], "msg": "Field required"}, "and more"]},
         "body.messages.0: Field required; and more"),
        ({"statusCode": 401, "message": "Unauthorized."}, "Unauthorized."),
        (wrapped("Provider error", metadata={"raw": '{"error":{"message":"upstream says"}}'}), "upstream says"),
        (wrapped("Provider returned error", metadata={"raw": "upstream words"}), "upstream words"),
        (wrapped("Provider returned error", metadata={"raw": "<html>x"}), "Provider returned error"),
        (wrapped("Provider returned error", metadata={"raw": '{"prompt":"x"}'}), "Provider returned error"),
        (wrapped("Provider returned error", metadata={"raw": {"a": 1}}), "Provider returned error"),
        ({"message": "no route matched"}, "no route matched"),
        (b"upstream connect error", "upstream connect error"),
        (b"<!DOCTYPE html><title>x</title>", "The provider failed. (HTTP 500)"),
        (b"\xef\xbb\xbf <html>", "The provider failed. (HTTP 500)"),
        (b"", "The provider failed. (HTTP 500)"),
        (b'{"error":{"mess', "The provider failed. (HTTP 500)"),
        (b'{"unknown":"SECRET"}', "The provider failed. (HTTP 500)"),
        (wrapped("Traceback (most recent call last): x"), "The provider failed. (HTTP 500)"),
        (wrapped("x" * 501), "x" * 499 + "…"),
    ],
)  # fmt: skip
def test_messages_are_sentences_for_people(body: Any, message: str) -> None:
    assert error_of(500, body).message == message


def test_a_page_is_never_echoed() -> None:
    error = error_of(403, b"words of a page", content_type="text/html; charset=utf-8")
    assert error.message == "The key may not do this. (HTTP 403)"
    assert error.details["hint"] == "The answer is a web page: it may come from a proxy in between."


def test_details_name_what_the_provider_named() -> None:
    body = wrapped("Bad", type="invalid_request_error", code="invalid_value", param="top_p")
    assert error_of(400, body, x_request_id="req_1", retry_after="2", x_should_retry="false").details == {
        "http_status": 400,
        "provider_code": "invalid_value",
        "param": "top_p",
        "provider_request_id": "req_1",
        "retry_after_ms": 2000,
        "retryable": False,
    }
    moderated = wrapped(code=403, metadata={"reasons": ["violence", "hate"]})
    assert error_of(403, moderated).details["hint"] == "The provider's moderation names: violence, hate."


@pytest.mark.parametrize(
    ("message", "members", "sizes"),
    [
        ("too long", {"n_prompt_tokens": 9412, "n_ctx": 8192, "type": "exceed_context_size_error"}, (9412, 8192)),
        ("request (9412 tokens) exceeds the available context size (8192 tokens), try", {}, (9412, 8192)),
        ("This model's maximum context length is 8192 tokens. However, your messages resulted in 9412 tokens.", {},
         (9412, 8192)),
        ("maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in", {},
         (5000, 4096)),
        ("prompt is too long: 214,000 tokens > 200,000 maximum", {}, (214000, 200000)),
        ("Current length is 9412 while limit is 8192", {}, (9412, 8192)),
        ("Prompt contains 9412 tokens, too large for model with 8192 maximum context length", {}, (9412, 8192)),
        ("The model m-20250514 has a maximum context length of 8192", {}, (None, 8192)),
        ("input length and `max_tokens` exceed context limit: 7000 + 2000 > 8192", {}, (None, 8192)),
        ("exceeds the context window", {}, (None, None)),
    ],
)  # fmt: skip
def test_the_hint_on_context_tells_the_sizes(message: str, members: Any, sizes: tuple[int | None, int | None]) -> None:
    error = error_of(400, wrapped(message, **members))
    requested = f"The request has {sizes[0]} tokens. " if sizes[0] else ""
    limit = f"The model takes {sizes[1]} tokens. " if sizes[1] else ""
    assert error.type == "context_length_exceeded"
    assert error.details["hint"] == f"{requested}{limit}Shorten the conversation, or use a model with a larger context."


HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "date", "content-type", "x-request-id", "x-should-retry"]),
    st.sampled_from(["", "nan", "1e999", "-1", "Sun, 06 Nov 1994 08:49:37 GMT", "text/html", "٣", "x" * 999])
    | st.text(),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "code",
                    "type",
                    "detail",
                    "loc",
                    "msg",
                    "metadata",
                    "raw",
                    "reasons",
                    "status",
                    "param",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.integers(0, 999), HEADERS, st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_every_response_has_a_meaning(status: int, headers: dict[str, str], body: bytes) -> None:
    error = DIALECT.decode_error(HttpResponse(status, headers, body))
    assert error.message
    assert error.to_object().data.http_status == status

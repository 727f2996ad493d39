from typing import Any

import msgspec
import pytest
from responses_dialect import AIM, delta, events_of

from sidecar.dialects.contract import HttpResponse
from sidecar.dialects.openai_responses import DIALECT
from sidecar.framing.frame import Frame
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import UsageDelta

TOO_LONG = "Your input exceeds the context window of this model."


def failed(error: Any, **members: Any) -> dict[str, Any]:
    return {"type": "response.failed", "response": {"status": "failed", "error": error, **members}}


@pytest.mark.parametrize(
    ("event", "kind", "message"),
    [
        (
            {
                "type": "error",
                "code": "context_length_exceeded",
                "message": TOO_LONG,
                "param": None,
                "sequence_number": 2,
            },
            "context_length_exceeded",
            TOO_LONG,
        ),
        (
            {
                "type": "error",
                "error": {"type": "tokens", "code": "rate_limit_exceeded", "message": "Slow.", "param": None},
            },
            "rate_limited",
            "Slow.",
        ),
        ({"type": "error"}, "server_error", "The provider failed."),
        ({"error": {"message": "EngineCore died.", "code": 500}}, "server_error", "EngineCore died."),
        ({"error": "Too bad."}, "server_error", "Too bad."),
        (failed({"code": "server_error", "message": "Sorry."}), "server_error", "Sorry."),
        (failed({"code": "rate_limit_exceeded", "message": "Slow."}), "rate_limited", "Slow."),
        (failed({"code": "invalid_prompt", "message": "No."}), "content_filtered", "No."),
        (failed(None), "server_error", "The provider failed."),
        ({"type": "response.failed"}, "server_error", "The provider failed."),
        ({"type": "response.completed", "response": {"status": "failed"}}, "server_error", "The provider failed."),
    ],
)
def test_an_error_in_the_stream_is_raised(event: Any, kind: str, message: str) -> None:
    with pytest.raises(SidecarError) as raised:
        events_of(delta("output_text", 0, "Hi"), event)
    assert (raised.value.type, raised.value.message) == (kind, message)


def test_an_event_that_the_framing_calls_an_error_is_one() -> None:
    decoder = DIALECT.decode_stream(AIM)
    with pytest.raises(SidecarError) as raised:
        list(decoder.feed(Frame(b'{"type":"overloaded_error","message":"Busy."}', "error")))
    assert (raised.value.type, raised.value.message) == ("provider_overloaded", "Busy.")


def test_token_counts_of_a_failed_answer_are_told_before_its_error() -> None:
    decoder = DIALECT.decode_stream(AIM)
    events = []
    event = failed({"code": "server_error", "message": "Sorry."}, usage={"input_tokens": 7, "output_tokens": 1})
    with pytest.raises(SidecarError):
        events += decoder.feed(Frame(msgspec.json.encode(event)))
    decoder = DIALECT.decode_stream(AIM)
    found = iter(decoder.feed(Frame(msgspec.json.encode(event))))
    assert next(found) == UsageDelta(input_tokens=7, output_tokens=1)
    with pytest.raises(SidecarError, match="Sorry"):
        next(found)


def test_an_event_of_another_type_is_no_error_whatever_it_says() -> None:
    with pytest.raises(SidecarError) as raised:
        events_of({"type": "rate_limits.updated", "message": "9 left"}, {"type": "notice", "error": None})
    assert raised.value.type == "stream_interrupted"


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (401, {"error": {"message": "Bad key.", "code": "invalid_api_key"}}, "authentication", "Bad key."),
        (400, {"code": "invalid-argument", "error": "No such effort."}, "request_rejected", "No such effort."),
        (401, {"statusCode": 401, "message": "Access token is missing."}, "authentication", "Access token is missing."),
        (404, {"error": {"code": "DeploymentNotFound", "message": "Gone."}}, "model_not_found", "Gone."),
    ],
)
def test_errors_are_read_in_every_form(status: int, body: Any, kind: str, message: str) -> None:
    error = DIALECT.decode_error(HttpResponse(status, {}, msgspec.json.encode(body)))
    assert (error.type, error.message, error.details["http_status"]) == (kind, message, status)


def test_a_server_without_responses_is_told_from_a_wrong_address() -> None:
    assert DIALECT.absent_hint == 'Set `api` to "chat" if the server speaks Chat Completions only.'

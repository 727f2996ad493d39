"""Recorded answers of real servers, read whole and in pieces, compared with what the official SDK reads."""

from collections.abc import Iterator
from typing import Any

import pytest
from chat_dialect import aim, read
from recorded import RECORDINGS, exchanges, expectation, expected, reading

from sidecar.dialects.contract import HttpResponse
from sidecar.dialects.openai_chat import DIALECT
from sidecar.schema.errors import SidecarError
from sidecar.transcript import Transcript

EXCHANGES = exchanges("openai-chat")
STREAMS = [exchange for exchange in EXCHANGES if exchange["sse"]]
ANSWERS = [exchange for exchange in EXCHANGES if exchange["status"] == 200 and not exchange["sse"]]
ERRORS = [exchange for exchange in EXCHANGES if exchange["status"] != 200]

ERROR_TYPES = {
    "langchaingo-fac30e7e38": "rate_limited",
    "openllmetry-3224af7c96": "model_not_found",
    "pydantic-ai-b811689f85": "request_rejected",
    "ruby-llm-db816ee0eb": "rate_limited",
}


def error_type(exchange_id: str) -> str | None:
    error = expectation(exchange_id)["error"]
    return str(error.get("sidecar_type", ERROR_TYPES.get(exchange_id))) if error else None


def identify(exchange: dict[str, Any]) -> str:
    return str(exchange["id"])


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def test_the_recordings_are_there() -> None:
    if not RECORDINGS.is_dir():
        pytest.skip(f"the recordings of real providers are not published, and not at {RECORDINGS}")
    assert len(STREAMS) >= 12
    assert len(ANSWERS) >= 6
    assert len(ERRORS) >= 3


@pytest.mark.parametrize("size", [1 << 20, 7, 1])
@pytest.mark.parametrize("exchange", STREAMS, ids=identify)
def test_a_recorded_stream_reads_as_the_sdk_reads_it(exchange: dict[str, Any], size: int) -> None:
    transcript = Transcript()
    wanted = expected(exchange["id"])
    error = None
    try:
        read(DIALECT.decode_stream(aim()), pieces(exchange["response_body"].encode(), size), transcript)
    except SidecarError as raised:
        error = raised
        wanted |= {"usage": None, "finish_reason": None}
        transcript.usage = None
    assert reading(transcript.message(), transcript.finish, transcript.usage) == wanted
    wanted_error = expectation(exchange["id"])["error"]
    assert (error and error.message) == (wanted_error and wanted_error["message"])
    assert (error and error.type) == error_type(exchange["id"])


@pytest.mark.parametrize("exchange", ANSWERS, ids=identify)
def test_a_recorded_answer_reads_as_the_sdk_reads_it(exchange: dict[str, Any]) -> None:
    transcript = Transcript()
    for event in DIALECT.decode_answer(exchange["response_body"].encode(), aim()).events:
        transcript.add(event)
    assert reading(transcript.message(), transcript.finish, transcript.usage) == expected(exchange["id"])


@pytest.mark.parametrize("exchange", ERRORS, ids=identify)
def test_a_recorded_error_reads_as_the_sdk_reads_it(exchange: dict[str, Any]) -> None:
    headers = {name.lower(): value for name, value in exchange["response_headers"].items()}
    error = DIALECT.decode_error(HttpResponse(exchange["status"], headers, exchange["response_body"].encode()))
    wanted = expectation(exchange["id"])["error"]
    assert error.message == wanted["body_message"]
    assert error.type == error_type(exchange["id"])
    assert error.details["http_status"] == exchange["status"]
    assert error.details.get("provider_request_id") == wanted.get("request_id")


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings of real providers are not published")
def test_a_stream_cut_anywhere_is_interrupted_or_complete() -> None:
    body = next(e["response_body"] for e in STREAMS if e["id"] == "fantasy-e401bf52ae").encode()
    whole = Transcript()
    read(DIALECT.decode_stream(aim()), [body], whole)
    finish_ends = body.index(b"}", body.index(b'"finish_reason":"tool_calls"')) + 1
    wanted = "".join(call["arguments"] for call in reading(whole.message(), None, None)["tool_calls"])
    complete = 0
    for cut in range(len(body)):
        transcript = Transcript()
        error = None
        try:
            read(DIALECT.decode_stream(aim()), [body[:cut]], transcript)
        except SidecarError as raised:
            error = raised.type
        got = "".join(call["arguments"] for call in reading(transcript.message(), None, None)["tool_calls"])
        if transcript.finish is None:
            assert error == "stream_interrupted", cut
            assert wanted.startswith(got), cut
        else:
            assert error is None
            assert cut >= finish_ends
            assert (transcript.message(), transcript.finish) == (whole.message(), whole.finish)
            complete += 1
    assert complete > 100

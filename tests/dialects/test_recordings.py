"""Recorded answers of real servers, read whole and in pieces, compared with what the official SDKs read."""

import re
from collections.abc import Callable

import pytest
from recorded import (
    AIM,
    RECORDINGS,
    Json,
    Played,
    dialect_of,
    disorders,
    exchanges,
    expectation,
    expected,
    in_pieces,
    indexes,
    reading,
    representative,
    request_id,
)

from sidecar.dialects.contract import HttpResponse
from sidecar.transcript import Transcript

EXCHANGES = exchanges()
STREAMS = [exchange for exchange in EXCHANGES if exchange["sse"]]
ANSWERS = [exchange for exchange in EXCHANGES if exchange["status"] == 200 and not exchange["sse"]]
ERRORS = [exchange for exchange in EXCHANGES if exchange["status"] != 200]
WHOLE = 1 << 20

ERROR_TYPES = {
    "langchaingo-fac30e7e38": "rate_limited",
    "openllmetry-3224af7c96": "model_not_found",
    "pydantic-ai-b811689f85": "request_rejected",
    "ruby-llm-db816ee0eb": "rate_limited",
    "ruby-llm-511cd4b312": "context_length_exceeded",
    "chatlas-0c9aaa04f1": "authentication",
    "mirascope-112cf5cab9": "model_not_found",
    "ruby-llm-5c0d17e4e1": "context_length_exceeded",
    "dd-trace-py-127a5e26e8": "authentication",
    "mirascope-7c849235c1": "authentication",
    "mirascope-d45fee50a0": "model_not_found",
}

PROVIDER_CODES = {
    "langchaingo-fac30e7e38": None,
    "openllmetry-3224af7c96": "model_not_found",
    "ruby-llm-db816ee0eb": "RateLimitReached",
    "ruby-llm-511cd4b312": "context_length_exceeded",
    "chatlas-0c9aaa04f1": "invalid_api_key",
    "mirascope-112cf5cab9": "not_found_error",
    "ruby-llm-5c0d17e4e1": "invalid_request_error",
    "dd-trace-py-127a5e26e8": "authentication_error",
    "mirascope-7c849235c1": "API_KEY_INVALID",
    "mirascope-d45fee50a0": "NOT_FOUND",
    "written-context-size": "exceed_context_size_error",
}

CUT = {
    "openai-chat": "fantasy-e401bf52ae",
    "openai-responses": "fantasy-db5dd57282",
    "anthropic-messages": "fantasy-19e7256fba",
    "gemini-generate": "mirascope-49d4c5b6b5",
}
"""The streams that are cut at every byte."""

PINGS = {
    "anthropic-messages": b'event: ping\ndata: {"type": "ping"}\n\n',
    "openai-responses": b'event: keepalive\ndata: {"type":"keepalive","sequence_number":3}\n\n',
}


def lines(end: bytes) -> Callable[[str, bytes], bytes]:
    """Return what gives a body other line ends."""
    return lambda _, body: re.sub(rb"\r\n|\r|\n", end, body)


def with_comments(dialect: str, body: bytes) -> bytes:
    del dialect
    return b": ping\n\n" + _plain(body).replace(b"\n\n", b"\n\n: ping\n\n\n\n:\n\n")


def with_pings(dialect: str, body: bytes) -> bytes:
    return _plain(body).replace(b"\n\n", b"\n\n" + PINGS[dialect])


def _plain(body: bytes) -> bytes:
    return body.replace(b"\r\n", b"\n")


DISGUISES = {"lf": lines(b"\n"), "crlf": lines(b"\r\n"), "cr": lines(b"\r"), "comments": with_comments}


def error_type(exchange_id: str) -> str | None:
    error = expectation(exchange_id)["error"]
    return str(error.get("sidecar_type", ERROR_TYPES.get(exchange_id))) if error else None


def identify(exchange: Json) -> str:
    return str(exchange["id"])


def check(exchange: Json, played: Played) -> None:
    """Compare what came of a stream with what the SDK made of it."""
    wanted, got = expected(exchange["id"]), played.reading()
    if played.error is not None:
        wanted |= {"usage": None, "finish_reason": None, "reason": None}
        got["usage"] = None
    assert got == wanted
    wanted_error = expectation(exchange["id"])["error"]
    assert (played.error and played.error.message) == (wanted_error and wanted_error["message"])
    assert (played.error and played.error.type) == error_type(exchange["id"])
    assert disorders(played.events) == []
    assert indexes(played.events) == list(range(len(played.transcript.parts)))


def test_the_recordings_are_there() -> None:
    if not RECORDINGS.is_dir():
        pytest.skip(f"the recordings of real providers are not published, and not at {RECORDINGS}")
    assert len(STREAMS) >= 33
    assert len(ANSWERS) >= 19
    assert len(ERRORS) >= 10


@pytest.mark.parametrize("size", [WHOLE, 7, 1])
@pytest.mark.parametrize("exchange", STREAMS, ids=identify)
def test_a_recorded_stream_reads_as_the_sdk_reads_it(exchange: Json, size: int) -> None:
    body = exchange["response_body"].encode()
    check(exchange, Played(dialect_of(exchange["dialect"]), in_pieces(body, size)))


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("exchange", [e for e in STREAMS if e["dialect"] != "ollama-chat"], ids=identify)
def test_a_stream_reads_the_same_with_other_line_ends_and_comments(exchange: Json, disguise: str) -> None:
    body = DISGUISES[disguise](exchange["dialect"], exchange["response_body"].encode())
    for size in (WHOLE, 7):
        check(exchange, Played(dialect_of(exchange["dialect"]), in_pieces(body, size)))


@pytest.mark.parametrize("exchange", [e for e in STREAMS if e["dialect"] in PINGS], ids=identify)
def test_a_stream_reads_the_same_with_signs_of_life_between_its_events(exchange: Json) -> None:
    body = with_pings(exchange["dialect"], exchange["response_body"].encode())
    check(exchange, Played(dialect_of(exchange["dialect"]), in_pieces(body, 100)))


@pytest.mark.parametrize("exchange", ANSWERS, ids=identify)
def test_a_recorded_answer_reads_as_the_sdk_reads_it(exchange: Json) -> None:
    transcript = Transcript()
    answer = dialect_of(exchange["dialect"]).decode_answer(exchange["response_body"].encode(), AIM)
    for event in answer.events:
        transcript.add(event)
    assert reading(transcript.message(), transcript.finish, transcript.usage) == expected(exchange["id"])
    assert disorders(list(answer.events)) == []


@pytest.mark.parametrize("exchange", [e for e in EXCHANGES if e["status"] == 200], ids=identify)
def test_what_must_go_back_unchanged_is_kept(exchange: Json) -> None:
    record = expectation(exchange["id"])
    body = exchange["response_body"].encode()
    dialect = dialect_of(exchange["dialect"])
    if exchange["sse"]:
        message = Played(dialect, [body]).transcript.message()
    else:
        transcript = Transcript()
        for event in dialect.decode_answer(body, AIM).events:
            transcript.add(event)
        message = transcript.message()
    kept = [part.opaque for part in message.content if getattr(part, "opaque", None)]  # type: ignore[union-attr]
    assert {opaque.origin for opaque in kept if opaque} <= {AIM.origin}
    for text in signatures(exchange):
        assert sum(text in opaque.data for opaque in kept if opaque) == 1, text
    assert len(kept) >= record.get("thought_signatures", 0) + bool(record.get("has_signature"))


def signatures(exchange: Json) -> set[str]:
    """Return the signatures and the encrypted reasoning that an answer holds."""
    found = re.findall(
        r'"(?:signature|thoughtSignature|encrypted_content)":\s?"([^"]{40,})"', exchange["response_body"]
    )
    return {text for text in found if exchange["dialect"] != "openai-chat"}


@pytest.mark.parametrize("exchange", ERRORS, ids=identify)
def test_a_recorded_error_reads_as_the_sdk_reads_it(exchange: Json) -> None:
    headers = {name.lower(): value for name, value in exchange["response_headers"].items()}
    body = exchange["response_body"].encode()
    error = dialect_of(exchange["dialect"]).decode_error(HttpResponse(exchange["status"], headers, body))
    wanted = expectation(exchange["id"])["error"]
    assert error.message == wanted.get("body_message", wanted["message"])
    assert error.type == error_type(exchange["id"])
    assert error.details["http_status"] == exchange["status"]
    assert error.details.get("provider_code") == PROVIDER_CODES.get(exchange["id"], error.details.get("provider_code"))
    assert error.details.get("provider_request_id") == request_id(exchange)


@pytest.mark.parametrize("id_", representative(CUT).values())
def test_a_stream_cut_anywhere_is_interrupted_or_complete(id_: str) -> None:
    exchange = next(exchange for exchange in STREAMS if exchange["id"] == id_)
    dialect, body = dialect_of(exchange["dialect"]), exchange["response_body"].encode()
    whole = Played(dialect, [body])
    complete = 0
    for cut in range(len(body)):
        played = Played(dialect, [body[:cut]])
        if played.transcript.finish is None:
            assert played.error is not None, cut
            assert played.error.type == "stream_interrupted", cut
            assert is_beginning(played.reading(), whole.reading()), cut
        else:
            assert played.error is None, cut
            assert played.transcript.message() == whole.transcript.message(), cut
            assert played.transcript.finish == whole.transcript.finish, cut
            complete += 1
        assert disorders(played.events) == [], cut
    assert complete <= len(body) // 5


def is_beginning(part: Json, whole: Json) -> bool:
    """Tell whether one reading may be what came first of another."""
    calls = list(zip(part["tool_calls"], whole["tool_calls"], strict=False))
    return (
        all(whole[name].startswith(part[name]) for name in ("text", "reasoning", "refusal"))
        and len(part["tool_calls"]) <= len(whole["tool_calls"])
        and all((one["id"], one["name"]) == (other["id"], other["name"]) for one, other in calls)
        and all(other["arguments"].startswith(one["arguments"]) for one, other in calls)
    )

"""Each way in which a provider fails, through the real process: what the host is told, and how often was asked."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
import upstream
from failing_upstream import CHUNKED, HEAD, WIRES, chunk, chunked, cut_at, raw, stalling
from host import Host, session

Json = dict[str, Any]

KEY = "sk-test-000000000000"
ONCE = {"retry": {"max_retries": 0}}
SOON_MS = 60
"""A deadline that is sure to pass."""
LATE_MS = 20_000
"""A deadline that is not."""
HEL = [{"type": "text", "text": "Hel"}]

METHODS = ("chat.stream", "chat.complete")

dialects = pytest.mark.parametrize("dialect", WIRES)
methods = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with session(tmp_path_factory.mktemp("home")) as host:
        yield host


class Asked:
    """One question to a server of a dialect, and all that came of it."""

    def __init__(self, host: Host, server: upstream.Server, dialect: str, method: str, **options: Any) -> None:
        config = {"base_url": f"{server.url}/v1", "model": "m-1", "api_key": KEY, "id": "here"}
        host.call("providers.configure", {"config": WIRES[dialect].config | config})
        question = {"provider": "here", "messages": [{"role": "user", "content": "Hi"}], **options}
        before = len(server.requests)
        self._id = host.send(method, question | ({"stream_id": "s"} if method == "chat.stream" else {}))
        self._host = host
        self.statuses: list[Json] = []
        self.chunks: list[Json] = []
        self.reply = self._listen()
        self.requests = len(server.requests) - before

    def _listen(self) -> Json:
        """Return the reply. A pause before another attempt is long enough to be seen, and is not waited for."""
        while (message := self._host.receive()).get("id") != self._id:
            if message.get("method") == "stream.chunk":
                self.chunks.append(message["params"])
            elif message.get("method") == "stream.status":
                self.statuses.append(message["params"])
                if message["params"]["state"] == "retrying":
                    self._host.send("chat.cancel", {"stream_id": "s"})
        return message

    @property
    def text(self) -> str:
        return "".join(chunk["delta"]["text"] for chunk in self.chunks if chunk["delta"]["type"] == "text")

    @property
    def ending(self) -> str:
        """Return the finish reason or the type of the error, and what was said before."""
        if "result" in self.reply:
            result = self.reply["result"]
            reason, message = result["finish_reason"]["reason"], result["message"]
        else:
            reason, message = self.error["type"], self.error.get("partial", {"content": []})
        return f"{reason} {''.join(part['text'] for part in message['content'])}"

    @cached_property
    def error(self) -> Json:
        """Return the details of the error, without what differs from time to time and from method to method."""
        assert "error" in self.reply, self.reply
        details = self.reply["error"]["data"]
        for attempt in details["attempts"]:
            assert attempt.pop("duration_ms") >= 0
        if "chunks" in details:
            assert details.pop("stream_id") == "s"
            assert details.pop("chunks") == len(self.chunks)
            assert [chunk["seq"] for chunk in self.chunks] == list(range(len(self.chunks)))
            partial = details.get("partial", {"content": []})["content"]
            assert self.text == "".join(part["text"] for part in partial)
        return dict(details)


def ask(
    host: Host, handler: upstream.Handler, dialect: str = "openai_chat", method: str = "chat.stream", **o: Any
) -> Asked:
    with upstream.running(handler) as server:
        return Asked(host, server, dialect, method, **o)


def details(kind: str, category: str, *, retryable: bool = True, **members: Any) -> Json:
    """Return what the host is told of a question that failed in one attempt."""
    used = {"usage": members["usage"]} if "usage" in members else {}
    used |= members.pop("attempt", {})
    attempt = {"provider": "here", "model": "m-1", "outcome": "error", "error_type": kind, **used}
    named = {"type": kind, "category": category, "retryable": retryable, "provider": "here", "model": "m-1"}
    return named | {"attempts": [attempt]} | members


def estimate(dialect: str, said: int) -> Json:
    return {"input_tokens": WIRES[dialect].asked, "output_tokens": said, "source": "estimated"}


BUSY = {"error": {"message": "Too busy."}}
DATES = {"date": "Sun, 22 Nov 2026 10:00:00 GMT", "retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}
PAST = {"date": "Sun, 22 Nov 2026 10:00:30 GMT", "retry-after": "Sun, 22 Nov 2026 10:00:00 GMT"}

FIRST_PAUSE = (375, 500)
"""What is waited where the provider does not say."""


def around(ms: int) -> tuple[int, int]:
    return ms, ms + ms // 40 + 1


def gemini(code: int, status: str, *details: Json) -> Json:
    return {"error": {"code": code, "message": "Too busy.", "status": status, "details": list(details)}}


def retry_info(delay: str) -> Json:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def anthropic(kind: str) -> Json:
    return {"type": "error", "error": {"type": kind, "message": "Too busy."}}


@dataclass(frozen=True)
class Refusal:
    """What a server says in place of an answer, and what is made of it: `pause` are the bounds of what is waited."""

    status: int
    headers: Json
    error: Json
    pause: tuple[int, int] | None = FIRST_PAUSE
    body: Json = field(default_factory=lambda: BUSY)
    dialect: str = "openai_chat"


def limited(**members: Any) -> Json:
    return details("rate_limited", "ai", http_status=429, **members)


def overloaded(status: int = 503, **members: Any) -> Json:
    return details("provider_overloaded", "ai", http_status=status, **members)


def failed(status: int = 500, **members: Any) -> Json:
    return details("server_error", "ai", http_status=status, **members)


REFUSALS = {
    "nothing said": Refusal(429, {}, limited()),
    "seconds": Refusal(429, {"retry-after": "7"}, limited(retry_after_ms=7000), around(7000)),
    "part of a second": Refusal(429, {"retry-after": "0.25"}, limited(retry_after_ms=250), around(250)),
    "a date": Refusal(429, DATES, limited(retry_after_ms=30_000), around(30_000)),
    "a date without another": Refusal(429, {"retry-after": DATES["retry-after"]}, limited()),
    "a date in the past": Refusal(429, PAST, limited()),
    "no time at all": Refusal(429, {"retry-after": "0"}, limited()),
    "no number": Refusal(429, {"retry-after": "soon"}, limited()),
    "a negative number": Refusal(429, {"retry-after": "-5"}, limited()),
    "no finite number": Refusal(429, {"retry-after": "inf"}, limited()),
    "milliseconds": Refusal(429, {"retry-after-ms": "300"}, limited(retry_after_ms=300), around(300)),
    "both": Refusal(429, {"retry-after-ms": "300", "retry-after": "9"}, limited(retry_after_ms=300), around(300)),
    "just not too long": Refusal(429, {"retry-after": "120"}, limited(retry_after_ms=120_000), around(120_000)),
    "too long": Refusal(429, {"retry-after": "120.001"}, limited(retry_after_ms=120_001), None),
    "do retry": Refusal(
        400, {"x-should-retry": "true"}, details("request_rejected", "ai", retryable=True, http_status=400)
    ),
    "do not retry": Refusal(503, {"x-should-retry": "false"}, overloaded(retryable=False), None),
    "do not retry, after": Refusal(
        429,
        {"x-should-retry": "false", "retry-after": "1"},
        limited(retryable=False, retry_after_ms=1000),
        None,
    ),
    "500": Refusal(500, {}, failed()),
    "502": Refusal(502, {}, failed(502)),
    "503": Refusal(503, {"retry-after": "2"}, overloaded(retry_after_ms=2000), around(2000)),
    "504": Refusal(504, {}, details("timeout", "network", http_status=504)),
    "529": Refusal(529, {}, overloaded(529)),
    "responses: 429": Refusal(
        429, {"retry-after": "7"}, limited(retry_after_ms=7000), around(7000), dialect="openai_responses"
    ),
    "responses: 503": Refusal(503, {}, overloaded(), dialect="openai_responses"),
    "anthropic: 429": Refusal(
        429,
        {"retry-after": "7"},
        limited(retry_after_ms=7000, provider_code="rate_limit_error"),
        around(7000),
        anthropic("rate_limit_error"),
        "anthropic_messages",
    ),
    "anthropic: 529": Refusal(
        529,
        {"x-should-retry": "true"},
        overloaded(529, provider_code="overloaded_error"),
        body=anthropic("overloaded_error"),
        dialect="anthropic_messages",
    ),
    "anthropic: 500": Refusal(
        500, {}, failed(provider_code="api_error"), body=anthropic("api_error"), dialect="anthropic_messages"
    ),
    "gemini: a delay": Refusal(
        429,
        {},
        limited(retry_after_ms=36_000, provider_code="RESOURCE_EXHAUSTED"),
        around(36_000),
        gemini(429, "RESOURCE_EXHAUSTED", retry_info("36s")),
        "gemini_generate",
    ),
    "gemini: part of a second": Refusal(
        429,
        {},
        limited(retry_after_ms=512, provider_code="RESOURCE_EXHAUSTED"),
        around(512),
        gemini(429, "RESOURCE_EXHAUSTED", retry_info("0.512s")),
        "gemini_generate",
    ),
    "gemini: 503": Refusal(
        503,
        {},
        overloaded(provider_code="UNAVAILABLE"),
        body=gemini(503, "UNAVAILABLE"),
        dialect="gemini_generate",
    ),
    "gemini: 500": Refusal(
        500, {}, failed(provider_code="INTERNAL"), body=gemini(500, "INTERNAL"), dialect="gemini_generate"
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_told_whole_and_sent_again_after_the_pause_that_the_provider_wants(
    host: Host, refusal: Refusal
) -> None:
    handler = upstream.answer(refusal.body, refusal.status, refusal.headers)
    for method in METHODS:
        once = ask(host, handler, refusal.dialect, method, **ONCE)
        assert (once.error, once.requests) == (refusal.error, 1)
    again = ask(host, handler, refusal.dialect)
    assert again.requests == 1
    if refusal.pause is None:
        assert again.error == refusal.error
    else:
        (told,) = (status for status in again.statuses if status["state"] == "retrying")
        assert told["attempt"] == 2
        assert refusal.pause[0] <= told["ms"] <= refusal.pause[1]
        assert again.reply["result"]["finish_reason"]["reason"] == "cancelled"
        assert [attempt["outcome"] for attempt in again.reply["result"]["attempts"]] == ["error"]


IN_BAND: dict[str, Json] = {
    "openai_chat": {"provider_code": "unavailable_error", "http_status": 503},
    "openai_responses": {"provider_code": "server_is_overloaded"},
    "anthropic_messages": {"provider_code": "overloaded_error"},
    "gemini_generate": {"provider_code": "UNAVAILABLE", "http_status": 503},
}
"""What an error in the stream tells."""


@dialects
@methods
def test_an_error_in_the_stream_ends_it_with_what_came_before(host: Host, dialect: str, method: str) -> None:
    wire = WIRES[dialect]
    begun = ask(host, upstream.events(wire.start + wire.words[0], wire.error), dialect, method)
    usage = estimate(dialect, 1)
    partial = {"role": "assistant", "content": HEL, "origin": begun.error["partial"]["origin"]}
    wanted = details("provider_overloaded", "ai", **IN_BAND[dialect], usage=usage, partial=partial)
    assert (begun.error, begun.requests) == (wanted, 1)


@dialects
@methods
def test_an_error_at_the_start_of_the_stream_is_one_of_an_attempt(host: Host, dialect: str, method: str) -> None:
    wire = WIRES[dialect]
    handler = upstream.events(wire.start + wire.error)
    once = ask(host, handler, dialect, method, **ONCE)
    attempt = {} if "http_status" in IN_BAND[dialect] else {"usage": estimate(dialect, 0)}
    wanted = details("provider_overloaded", "ai", **IN_BAND[dialect], attempt=attempt)
    assert (once.error, once.requests) == (wanted, 1)
    if method == "chat.stream":
        again = ask(host, handler, dialect)
        assert "retrying" in [status["state"] for status in again.statuses]


@dialects
def test_an_answer_may_break_off_at_any_byte(host: Host, dialect: str) -> None:
    """Whatever came before is told; behind the finish reason nothing is missed."""
    wire = WIRES[dialect]
    whole = chunked(*wire.answer)
    behind = {name: whole.index(piece) + len(piece) for name, piece in zip(("Hel", "Hello"), wire.words, strict=True)}
    spans = {
        "connect ": range(len(CHUNKED)),
        "stream_interrupted ": range(len(CHUNKED), behind["Hel"]),
        "stream_interrupted Hel": range(behind["Hel"], behind["Hello"]),
        "stream_interrupted Hello": range(behind["Hello"], whole.index(wire.end) + len(wire.end)),
        "stop Hello": range(whole.index(wire.end) + len(wire.end), len(whole) + 1),
    }
    with upstream.running(raw(whole)) as server:
        for ending, span in spans.items():
            for where in span:
                server.handler = cut_at(whole, where)
                asked = Asked(host, server, dialect, METHODS[where % 2], **ONCE)
                assert (asked.ending, asked.requests) == (ending, 1), where


@dialects
def test_a_reset_in_mid_answer_loses_no_more_than_what_has_not_arrived(host: Host, dialect: str) -> None:
    wire = WIRES[dialect]
    whole = chunked(*wire.answer)
    with upstream.running(raw(whole)) as server:
        for where in range(0, len(whole), 29):
            server.handler = cut_at(whole, where, "rst")
            asked = Asked(host, server, dialect, "chat.stream", **ONCE)
            assert asked.requests == 1
            kind, _, said = asked.ending.partition(" ")
            assert kind in {"connect", "stream_interrupted", "stop"}
            assert "Hello".startswith(said)


STALLS = {
    "before a status": ((), "first_token", ""),
    "in the status": ((HEAD[:7],), "first_token", ""),
    "in the headers": ((HEAD,), "first_token", ""),
    "behind the headers": ((CHUNKED,), "first_token", ""),
    "in the size of a chunk": ((CHUNKED, b"1"), "first_token", ""),
    "in an event": ((CHUNKED, chunk(WIRES["openai_chat"].words[0][:-1])), "first_token", ""),
    "behind a word": ((CHUNKED, chunk(WIRES["openai_chat"].words[0])), "idle", "Hel"),
}
"""What is sent before nothing more is, which deadline passes, and what came."""


@methods
@pytest.mark.parametrize(("pieces", "stage", "said"), STALLS.values(), ids=STALLS)
def test_a_provider_that_falls_silent_is_not_asked_again(
    host: Host, pieces: tuple[bytes, ...], stage: str, said: str, method: str
) -> None:
    timeouts = {"first_token": LATE_MS, "idle": LATE_MS} | {stage: SOON_MS}
    asked = ask(host, stalling(*pieces), "openai_chat", method, timeouts=timeouts)
    usage = estimate("openai_chat", 1 if said else 0)
    assert asked.error == timed_out(asked, stage, said, usage)
    assert asked.requests == 1


@dialects
@methods
@pytest.mark.parametrize(("begun", "stage"), [(0, "first_token"), (1, "idle")])
def test_pings_are_no_progress(host: Host, dialect: str, method: str, begun: int, stage: str) -> None:
    wire = WIRES[dialect]
    pieces = [chunk(piece) for piece in (wire.start, *wire.words[:begun]) if piece]
    timeouts = {"first_token": LATE_MS, "idle": LATE_MS} | {stage: SOON_MS}
    asked = ask(host, stalling(CHUNKED, *pieces, ping=chunk(wire.ping)), dialect, method, timeouts=timeouts)
    assert asked.error == timed_out(asked, stage, "Hel" * begun, estimate(dialect, begun))
    assert asked.requests == 1


@dialects
def test_an_answer_behind_many_pings_is_read(host: Host, dialect: str) -> None:
    wire = WIRES[dialect]
    asked = ask(host, upstream.events(*[wire.ping] * 200, *wire.answer), dialect)
    assert asked.ending == "stop Hello"
    assert asked.reply["result"]["usage"] == {"input_tokens": 10, "output_tokens": 5, "source": "reported"}


def timed_out(asked: Asked, stage: str, said: str, usage: Json) -> Json:
    lost = {} if not said else {"usage": usage, "partial": asked.error["partial"]}
    return details("timeout", "network", stage=stage, attempt={"usage": usage}, **lost)


CHAT = WIRES["openai_chat"]
BODY = b"".join(CHAT.answer)
BEGUN = CHAT.start + CHAT.words[0]


def sized(size: int, body: bytes) -> bytes:
    return HEAD + b"content-length: %d\r\n\r\n" % size + body


LIES = {
    "more is announced": (sized(len(BODY) + 9, BODY), "stop Hello"),
    "much more is announced": (sized(len(BODY), BEGUN), "stream_interrupted Hel"),
    "less is announced": (sized(len(BEGUN), BODY), "stream_interrupted Hel"),
    "less by the end": (sized(len(BODY) - len(CHAT.rest), BODY), "stop Hello"),
    "nothing is announced": (sized(0, BODY), "stream_interrupted "),
    "a length twice": (HEAD + b"content-length: 5\r\n" + sized(9, BODY)[len(HEAD) :], "malformed_response "),
    "a length that is none": (HEAD + b"content-length: many\r\n\r\n" + BODY, "malformed_response "),
    "a chunk is longer": (CHUNKED + chunk(BEGUN) + chunk(CHAT.words[1], 99999), "stream_interrupted Hello"),
    "a chunk is shorter": (CHUNKED + chunk(BEGUN) + chunk(CHAT.words[1] + CHAT.end, 5), "stream_interrupted Hel"),
    "a size that is none": (CHUNKED + chunk(BEGUN) + b"many\r\n" + BODY, "stream_interrupted Hel"),
    "a size that is negative": (CHUNKED + chunk(BEGUN) + b"-5\r\n" + BODY, "stream_interrupted Hel"),
    "a size without end": (CHUNKED + chunk(BEGUN) + b"f" * 40 + b"\r\n" + BODY, "stream_interrupted Hel"),
    "no last chunk": (chunked(*CHAT.answer)[: -len(b"0\r\n\r\n")], "stop Hello"),
    "something behind the end": (chunked(*CHAT.answer) + b"HTTP/1.1 500 No\r\n\r\n", "stop Hello"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.9\r\n", "malformed_response "),
}
"""Answers whose form is not what they say, and how each ends."""


@methods
@pytest.mark.parametrize(("wire", "ending"), LIES.values(), ids=LIES)
def test_what_a_server_says_of_its_answer_may_be_wrong(host: Host, method: str, wire: bytes, ending: str) -> None:
    """What came in good order counts, and the next answer is another."""
    with upstream.running(upstream.in_turn(raw(wire), raw(chunked(*CHAT.answer)))) as server:
        asked = Asked(host, server, "openai_chat", method, **ONCE)
        assert (asked.ending, asked.requests) == (ending, 1)
        assert Asked(host, server, "openai_chat", method, **ONCE).ending == "stop Hello"

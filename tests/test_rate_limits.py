"""Requests keep to rate limits, through the real process and over real connections."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import anyio
import pytest
import upstream
from host import Host, session
from upstream import EVENT_STREAM, Exchange

ANSWER = (
    b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"}}]}\n\n'
    b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"c","model":"m-1","choices":[],"usage":{"prompt_tokens":40,"completion_tokens":60}}\n\n'
    b"data: [DONE]\n\n"
)
QUESTION = {"messages": [{"role": "user", "content": "Hi"}]}


class Counter:
    """A provider that notes when it was asked, and how many were being answered at the most."""

    def __init__(self, seconds: float = 0.0, headers: dict[str, str] | None = None) -> None:
        self.times: list[float] = []
        self.most = 0
        self._seconds = seconds
        self._headers = headers or {}
        self._now = 0
        self._lock = threading.Lock()

    async def __call__(self, exchange: Exchange) -> None:
        with self._lock:
            self.times.append(monotonic())
            self._now += 1
            self.most = max(self.most, self._now)
        await exchange.start(200, EVENT_STREAM | self._headers)
        await anyio.sleep(self._seconds)
        with self._lock:
            self._now -= 1
        await exchange.send(ANSWER)
        await exchange.end()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with session(tmp_path, "--limit", "max_wait_ms=10000") as host:
        yield host


def use(host: Host, server: upstream.Server, **config: Any) -> None:
    base = {"provider": "openai_compatible", "base_url": f"{server.url}/v1", "model": "m-1"}
    host.call("providers.set_active", {"config": base | config})


def ask(host: Host, number: int = 1, **options: Any) -> tuple[list[Any], list[Any]]:
    """Ask so many times at once, and return the replies in their order and the statuses that tell of a wait."""
    ids = [host.send("chat.stream", QUESTION | options) for _ in range(number)]
    seen: list[Any] = []
    replies: dict[Any, Any] = {}
    while len(replies) < number:
        message = host.receive()
        if "method" in message:
            seen.append(message)
        else:
            replies[message["id"]] = message
    waits = [note["params"] for note in seen if note["params"].get("state") == "rate_limited"]
    return [replies[id_] for id_ in ids], waits


def texts(replies: list[Any]) -> list[str]:
    return [reply["result"]["message"]["content"][0]["text"] for reply in replies]


def test_no_more_are_asked_at_the_same_time_than_may_be(host: Host) -> None:
    provider = Counter(seconds=0.1)
    with upstream.running(provider) as server:
        use(host, server, rate_limits={"concurrency": 2})
        replies, waits = ask(host, 6)
    assert (texts(replies), provider.most, len(waits)) == (["Hello"] * 6, 2, 4)


def test_without_limits_all_are_asked_at_once(host: Host) -> None:
    provider = Counter(seconds=0.5)
    with upstream.running(provider) as server:
        use(host, server)
        replies, waits = ask(host, 6)
    assert (texts(replies), provider.most, waits) == (["Hello"] * 6, 6, [])


def test_what_would_take_too_long_is_refused_at_once(host: Host) -> None:
    provider = Counter()
    with upstream.running(provider) as server:
        use(host, server, rate_limits={"requests_per_minute": 2})
        replies, _ = ask(host, 3)
    assert texts(replies[:2]) == ["Hello", "Hello"]
    error = replies[2]["error"]["data"]
    assert (error["type"], error["stage"], error["provider"]) == ("rate_limited", "queue", "openai_compatible")
    assert 50_000 < error["retry_after_ms"] <= 60_000
    assert len(provider.times) == 2


def test_tokens_are_counted_as_the_provider_reports_them(host: Host) -> None:
    """Each request might take 901 tokens, and takes 100."""
    provider = Counter()
    with upstream.running(provider) as server:
        use(host, server, rate_limits={"tokens_per_minute": 1100})
        first, _ = ask(host, max_tokens=900)
        second, _ = ask(host, max_tokens=900)
        third, _ = ask(host, max_tokens=900)
    assert (texts(first + second), len(provider.times)) == (["Hello", "Hello"], 2)
    assert third[0]["error"]["data"]["stage"] == "queue"


def in_durations() -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m0s",
        "x-ratelimit-limit-tokens": "30000",
        "x-ratelimit-remaining-tokens": "29900",
        "x-ratelimit-reset-tokens": "200ms",
    }


def in_seconds() -> dict[str, str]:
    return {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1"}


def in_dates() -> dict[str, str]:
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        "date": now.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": (now + timedelta(seconds=50)).isoformat().replace("+00:00", "Z"),
        "anthropic-ratelimit-input-tokens-limit": "20000",
        "anthropic-ratelimit-input-tokens-remaining": "19000",
        "anthropic-ratelimit-input-tokens-reset": now.isoformat(),
    }


@pytest.mark.parametrize("family", [in_durations, in_seconds, in_dates], ids=lambda family: family.__name__)
def test_what_is_used_up_is_waited_for(host: Host, family: Any) -> None:
    """Each says that in about a second there is room for another request."""
    provider = Counter(headers=family())
    with upstream.running(provider) as server:
        use(host, server)
        ask(host)
        replies, waits = ask(host)
    assert texts(replies) == ["Hello"]
    assert [800 < status["wait_ms"] <= 1000 for status in waits] == [True]
    assert 0.8 < provider.times[1] - provider.times[0] < 5.0


@pytest.mark.parametrize(
    ("headers", "waits_ms"),
    [
        ({"retry-after": "1"}, (500, 1000)),
        ({"retry-after-ms": "700"}, (300, 700)),
        ({}, (1, 375)),
        (in_seconds(), (500, 1000)),
    ],
    ids=["seconds", "milliseconds", "no word", "a reset"],
)
def test_a_refusal_holds_the_others_back(host: Host, headers: dict[str, str], waits_ms: tuple[int, int]) -> None:
    refusal = upstream.answer({"error": {"message": "Slow down."}}, 429, headers)
    provider = Counter()
    with upstream.running(upstream.in_turn(refusal, provider)) as server:
        use(host, server)
        failed, _ = ask(host, retry={"max_retries": 0})
        replies, waits = ask(host, 2)
    assert failed[0]["error"]["data"]["type"] == "rate_limited"
    assert texts(replies) == ["Hello", "Hello"]
    assert [waits_ms[0] <= status["wait_ms"] <= waits_ms[1] for status in waits] == [True, True]


def test_a_refused_request_comes_again_without_waiting_twice(host: Host) -> None:
    refusal = upstream.answer({"error": {"message": "Slow down."}}, 429, {"retry-after-ms": "500"} | in_durations())
    provider = Counter()
    with upstream.running(upstream.in_turn(refusal, provider)) as server:
        use(host, server)
        started = monotonic()
        replies, waits = ask(host)
    assert (texts(replies), waits) == (["Hello"], [])
    assert 0.5 <= provider.times[0] - started < 5.0


def test_another_model_is_not_held_back(host: Host) -> None:
    refusal = upstream.answer({"error": {"message": "Slow down."}}, 429, {"retry-after": "60"})
    with upstream.running(upstream.in_turn(refusal, Counter())) as server:
        use(host, server)
        ask(host, retry={"max_retries": 0})
        replies, waits = ask(host, model="m-2")
        refused, _ = ask(host)
    assert (texts(replies), waits) == (["Hello"], [])
    assert refused[0]["error"]["data"]["stage"] == "queue"


def test_a_wait_is_cancelled_at_once(host: Host) -> None:
    provider = Counter(headers=in_seconds() | {"x-ratelimit-reset-requests": "9"})
    with upstream.running(provider) as server:
        use(host, server)
        ask(host)
        started = monotonic()
        id_ = host.send("chat.stream", QUESTION | {"stream_id": "s"})
        assert host.receive()["params"]["state"] == "rate_limited"
        host.send("chat.cancel", {"stream_id": "s"})
        reply = host.reply(id_)
    assert reply["result"]["finish_reason"]["reason"] == "cancelled"
    assert reply["result"]["attempts"] == []
    assert monotonic() - started < 5.0

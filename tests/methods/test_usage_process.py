"""The ledger equals the attempts that replies tell, through the real process."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import upstream
from host import Host, script, session

CHUNK = (
    b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"}}],'
    b'"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\n'
)
END = b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
GREETING = upstream.events(CHUNK, END)
SOON = {"retry-after-ms": "1"}
COUNTED = ("input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_tokens")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with session(tmp_path, "--scripted") as host:
        yield host


def failing(status: int) -> upstream.Handler:
    return upstream.answer({"error": {"message": "Not now."}}, status, SOON)


async def cut(exchange: upstream.Exchange) -> None:
    await exchange.start(200, {"content-type": "text/event-stream"})
    await exchange.send(CHUNK)
    await exchange.cut()


def attempts(reply: Any) -> list[Any]:
    """Return what a reply tells of attempts, be it a result or an error."""
    told: list[Any] = (reply["result"] if "result" in reply else reply["error"]["data"])["attempts"]
    return told


def reckoned(told: list[Any]) -> dict[str, Any]:
    """Return what the ledger should say of attempts."""
    usages = [attempt.get("usage", {}) for attempt in told]
    costs = [attempt["cost"]["amount"] for attempt in told if attempt.get("cost")]
    unpriced = [a for a in told if not a.get("cost") and (a.get("usage") or a["outcome"] == "ok")]
    amount = f"{sum(map(Decimal, costs), Decimal()).normalize():f}"
    return {
        "attempts": len(told),
        "failed": sum(attempt["outcome"] == "error" for attempt in told),
        "cancelled": sum(attempt["outcome"] == "cancelled" for attempt in told),
        "estimated": sum(usage.get("source") == "estimated" for usage in usages),
        "unpriced": len(unpriced),
        **{name: sum(usage.get(name, 0) for usage in usages) for name in COUNTED},
        "amount": None if unpriced and not costs else amount,
    }


def told_by(group: Any) -> dict[str, Any]:
    return {name: group[name] for name in reckoned([]) if name != "amount"} | {"amount": group["cost"]["amount"]}


def test_the_ledger_equals_the_attempts_of_the_scripted_provider(host: Host) -> None:
    usage = {"do": "usage", "usage": {"input_tokens": 100, "output_tokens": 9, "reasoning_tokens": 3}}
    text, end = {"do": "text", "text": "Fine."}, {"do": "finish"}
    scripts = (
        [text, usage, {"do": "cost", "amount": "0.000000000001"}, end],
        [text, end],
        [{"do": "error", "type": "rate_limited", "retry_after_ms": 1, "attempts": 2}, text, end],
        [{"do": "error", "type": "rate_limited", "retry_after_ms": 1, "http_status": 429}],
        [text, {"do": "error", "type": "server_error"}],
        [text],
    )
    replies = [host.reply(host.send("chat.complete", script(*steps))) for steps in scripts]
    id_ = host.send("chat.stream", script(text, {"do": "hang"}, stream_id="s"))
    assert host.receive()["method"] == "stream.chunk"
    host.send("chat.cancel", {"stream_id": "s"})
    told = [attempt for reply in [*replies, host.reply(id_)] for attempt in attempts(reply)]
    outcomes = [attempt.get("error_type", attempt["outcome"]) for attempt in told]
    assert outcomes == [
        *("ok", "ok", "rate_limited", "rate_limited", "ok"),
        *("rate_limited", "rate_limited", "rate_limited"),
        *("server_error", "stream_interrupted", "cancelled"),
    ]
    assert told_by(host.call("usage.summary")["total"]) == reckoned(told)


def test_the_ledger_equals_the_attempts_over_http(host: Host) -> None:
    told = []
    handlers = (GREETING, failing(503), GREETING, failing(401), cut, failing(429), failing(429), failing(429))
    with upstream.running(upstream.in_turn(*handlers)) as server:
        config = {"provider": "openai_compatible", "base_url": f"{server.url}/v1", "model": "m-1"}
        host.call("providers.set_active", {"config": config})
        for _ in range(5):
            messages = [{"role": "user", "content": "Hi"}]
            told += attempts(host.reply(host.send("chat.stream", {"messages": messages, "tags": ["web"]})))
    outcomes = [attempt.get("error_type", attempt["outcome"]) for attempt in told]
    assert outcomes == [
        *("ok", "provider_overloaded", "ok", "authentication", "stream_interrupted"),
        *("rate_limited", "rate_limited", "rate_limited"),
    ]
    summary = host.call("usage.summary", {"group_by": ["tag", "provider", "model"]})
    assert [(group["tag"], group["provider"], group["model"]) for group in summary["groups"]] == [
        ("web", "openai_compatible", "m-1")
    ]
    assert told_by(summary["groups"][0]) == told_by(summary["total"]) == reckoned(told)


def test_requests_that_reached_no_engine_are_no_attempts(host: Host) -> None:
    host.fail("chat.complete", {"provider": "nobody", "messages": [{"role": "user", "content": "Hi"}]})
    assert host.call("usage.summary")["total"]["attempts"] == 0

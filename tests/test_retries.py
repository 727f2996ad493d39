"""Requests that failed for a reason that may pass are sent again, through the real process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import upstream
from host import Host, session

BEGINNING = b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"}}]}\n\n'
END = b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
GREETING = upstream.events(BEGINNING, END)
SOON = {"retry-after-ms": "20"}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with session(tmp_path) as host:
        yield host


def failing(status: int, headers: dict[str, str] | None = None) -> upstream.Handler:
    return upstream.answer({"error": {"message": "Not now."}}, status, headers)


async def reset(exchange: upstream.Exchange) -> None:
    await exchange.cut("rst")


async def cut_at_the_start(exchange: upstream.Exchange) -> None:
    await exchange.start(200, {"content-type": "text/event-stream"})
    await exchange.cut()


async def cut_in_mid_answer(exchange: upstream.Exchange) -> None:
    await exchange.start(200, {"content-type": "text/event-stream"})
    await exchange.send(BEGINNING)
    await exchange.cut()


def ask(host: Host, server: upstream.Server, **options: Any) -> tuple[list[Any], Any]:
    """Return the notifications and the reply of a stream."""
    config = {"provider": "openai_compatible", "base_url": f"{server.url}/v1", "model": "m-1"}
    host.call("providers.set_active", {"config": config})
    seen: list[Any] = []
    reply = host.reply(host.send("chat.stream", {"messages": [{"role": "user", "content": "Hi"}], **options}), seen)
    return seen, reply


def outcomes(reply: Any) -> list[str]:
    ended = reply["result"] if "result" in reply else reply["error"]["data"]
    return [attempt.get("error_type", attempt["outcome"]) for attempt in ended["attempts"]]


@pytest.mark.parametrize(
    ("failure", "error_type"),
    [
        (failing(429, SOON), "rate_limited"),
        (failing(529, SOON), "provider_overloaded"),
        (failing(503, SOON), "provider_overloaded"),
        (failing(500, SOON), "server_error"),
        (failing(400, SOON | {"x-should-retry": "true"}), "request_rejected"),
        (reset, "connect"),
        (cut_at_the_start, "stream_interrupted"),
    ],
    ids=["429", "529", "503", "500", "x-should-retry", "reset", "cut"],
)
def test_the_next_attempt_answers(host: Host, failure: upstream.Handler, error_type: str) -> None:
    with upstream.running(upstream.in_turn(failure, GREETING)) as server:
        seen, reply = ask(host, server)
    assert outcomes(reply) == [error_type, "ok"]
    assert reply["result"]["message"]["content"] == [{"type": "text", "text": "Hello"}]
    texts = [note["params"]["delta"].get("text") for note in seen if note["method"] == "stream.chunk"]
    assert "".join(filter(None, texts)) == "Hello"
    told = [note["params"] for note in seen if note["params"].get("state") == "retrying"]
    assert [status["attempt"] for status in told] == [2]


def test_an_answer_that_has_begun_is_not_asked_for_again(host: Host) -> None:
    with upstream.running(upstream.in_turn(cut_in_mid_answer, GREETING)) as server:
        _, reply = ask(host, server)
        assert len(server.requests) == 1
    assert outcomes(reply) == ["stream_interrupted"]
    assert reply["error"]["data"]["partial"]["content"] == [{"type": "text", "text": "Hello"}]


@pytest.mark.parametrize(
    ("failure", "options"),
    [
        (failing(402), {}),
        (failing(401), {}),
        (failing(503, {"x-should-retry": "false"}), {}),
        (failing(429, {"retry-after": "121"}), {}),
        (failing(503, SOON), {"retry": {"max_retries": 0}}),
    ],
    ids=["quota", "key", "x-should-retry", "too long a pause", "the host does not want it"],
)
def test_what_would_not_help_is_not_tried(host: Host, failure: upstream.Handler, options: dict[str, Any]) -> None:
    with upstream.running(upstream.in_turn(failure, GREETING)) as server:
        _, reply = ask(host, server, **options)
        assert len(server.requests) == 1
    assert len(outcomes(reply)) == 1


def test_a_pause_is_cancelled_at_once(host: Host) -> None:
    with upstream.running(failing(429, {"retry-after": "100"})) as server:
        config = {"provider": "openai_compatible", "base_url": f"{server.url}/v1", "model": "m-1"}
        host.call("providers.set_active", {"config": config})
        id_ = host.send("chat.stream", {"stream_id": "s", "messages": [{"role": "user", "content": "Hi"}]})
        while (note := host.receive())["params"].get("state") != "retrying":
            assert note["method"] == "stream.status"
        host.send("chat.cancel", {"stream_id": "s"})
        reply = host.reply(id_)
    assert reply["result"]["finish_reason"] == {"reason": "cancelled", "raw": None}
    assert outcomes(reply) == ["rate_limited"]
    assert reply["result"]["timing"]["total_ms"] < 50_000

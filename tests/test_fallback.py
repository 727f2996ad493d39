"""Another provider is asked where the first fails, through the real process and over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import upstream
from host import PATIENCE_S, Host, session

BEGINNING = b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"}}]}\n\n'
END = b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
COUNTED = b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":99,"completion_tokens":0}}\n\n'
GREETING = upstream.events(BEGINNING, END)
ONCE = {"retry": {"max_retries": 0}}
TO_SECOND = [{"provider": "second"}]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with session(tmp_path, "--limit", "cooldown_ms=1") as host:
        yield host


def configure(host: Host, id_: str, url: str, **settings: Any) -> None:
    config = {"provider": "openai_compatible", "id": id_, "base_url": f"{url}/v1", "model": f"m-{id_}", **settings}
    host.call("providers.configure", {"config": config})


class Pair:
    """Two servers, of which the first fails."""

    def __init__(self, host: Host, first: upstream.Server, second: upstream.Server) -> None:
        self.host, self.first, self.second = host, first, second
        configure(host, "first", first.url)
        configure(host, "second", second.url)

    def ask(self, method: str = "chat.stream", **options: Any) -> tuple[list[Any], Any]:
        """Return what was notified, and the reply."""
        question = {"messages": [{"role": "user", "content": "Hi"}], "provider": "first", "fallback": TO_SECOND}
        seen: list[Any] = []
        reply = self.host.reply(self.host.send(method, question | options), seen)
        return [note["params"] for note in seen], reply


@pytest.fixture
def pair(host: Host) -> Iterator[Any]:
    """Return what makes a pair whose first server does what it is told, and whose second greets."""
    with ExitStack() as servers:

        def make(first: upstream.Handler, second: upstream.Handler = GREETING) -> Pair:
            running = [servers.enter_context(upstream.running(handler)) for handler in (first, second)]
            return Pair(host, *running)

        yield make


def failing(status: int, headers: dict[str, str] | None = None, **error: str) -> upstream.Handler:
    return upstream.answer({"error": {"message": "Not now."} | error}, status, headers)


async def reset(exchange: upstream.Exchange) -> None:
    await exchange.cut("rst")


async def silent(exchange: upstream.Exchange) -> None:
    await exchange.start(200, upstream.EVENT_STREAM)
    await exchange.hang()


async def page(exchange: upstream.Exchange) -> None:
    await exchange.respond(200, {"content-type": "text/html"}, b"<p>Welcome</p>")


async def counts_and_cuts(exchange: upstream.Exchange) -> None:
    await exchange.start(200, upstream.EVENT_STREAM)
    await exchange.send(COUNTED)
    await exchange.cut()


def texts(seen: list[Any]) -> str:
    return "".join(note["delta"].get("text", "") for note in seen if "delta" in note)


def tries(reply: Any) -> list[tuple[str, str]]:
    ended = reply["result"] if "result" in reply else reply["error"]["data"]
    return [(one["provider"], one.get("error_type", one["outcome"])) for one in ended["attempts"]]


@pytest.mark.parametrize(
    ("failure", "error_type"),
    [
        (failing(429), "rate_limited"),
        (failing(429, {"retry-after": "3600"}), "rate_limited"),
        (failing(503), "provider_overloaded"),
        (failing(500), "server_error"),
        (failing(401), "authentication"),
        (failing(402), "insufficient_quota"),
        (failing(404, code="model_not_found"), "model_not_found"),
        (failing(413), "payload_too_large"),
        (reset, "connect"),
        (silent, "timeout"),
        (page, "malformed_response"),
        (counts_and_cuts, "stream_interrupted"),
    ],
    ids=["429", "429 for an hour", "503", "500", "401", "402", "404", "413", "reset", "silence", "page", "cut"],
)
@pytest.mark.parametrize("method", ["chat.stream", "chat.complete"])
def test_the_second_answers(pair: Any, failure: upstream.Handler, error_type: str, method: str) -> None:
    seen, reply = pair(failure).ask(method, **ONCE, timeouts={"first_token": 200})
    result = reply["result"]
    assert tries(reply) == [("first", error_type), ("second", "ok")]
    assert (result["provider"], result["model"]) == ("second", "m-second")
    assert result["message"]["content"] == [{"type": "text", "text": "Hello"}]
    assert result["message"]["origin"]["provider"] == "second"
    assert result["usage"]["source"] == "estimated"
    assert [note["seq"] for note in seen if "seq" in note] == list(range(result.get("chunks", 0)))
    if method == "chat.stream":
        names = {"from": {"provider": "first", "model": "m-first"}, "to": {"provider": "second", "model": "m-second"}}
        told = [{name: note[name] for name in names} for note in seen if note.get("state") == "falling_back"]
        assert told in ([names], [])  # statuses may be left out
        assert texts(seen) == "Hello"
        assert not any(note["delta"]["type"] == "usage" for note in seen if "delta" in note)


def test_a_failure_is_retried_before_another_is_asked(pair: Any) -> None:
    soon = failing(503, {"retry-after-ms": "10"})
    both = pair(soon)
    _, reply = both.ask(retry={"max_retries": 2})
    assert tries(reply) == [("first", "provider_overloaded")] * 3 + [("second", "ok")]


def test_a_pause_of_a_minute_is_not_waited_for(pair: Any) -> None:
    _, reply = pair(failing(429, {"retry-after": "60"})).ask()
    assert tries(reply) == [("first", "rate_limited"), ("second", "ok")]


@pytest.mark.parametrize(
    ("status", "error_type"), [(400, "request_rejected"), (422, "request_rejected")], ids=["400", "422"]
)
def test_what_is_wrong_everywhere_is_told_at_once(pair: Any, status: int, error_type: str) -> None:
    both = pair(failing(status))
    _, reply = both.ask()
    assert tries(reply) == [("first", error_type)]
    assert both.second.requests == []


def test_an_answer_that_has_begun_is_not_taken_up_by_another_wherever_it_is_cut(pair: Any) -> None:
    stream = BEGINNING + END
    cut_at = 0

    async def cut(exchange: upstream.Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        if cut_at:
            await exchange.send(stream[:cut_at])
        await exchange.cut()

    both = pair(cut)
    for cut_at in range(0, len(BEGINNING) + len(END) // 2, 9):
        seen, reply = both.ask(**ONCE, model=f"m-{cut_at}")  # another model has not failed yet
        begun = cut_at >= len(BEGINNING)
        assert texts(seen) == "Hello"
        if begun:
            assert tries(reply) == [("first", "stream_interrupted")]
            data = reply["error"]["data"]
            assert (data["provider"], data["partial"]["content"]) == ("first", [{"type": "text", "text": "Hello"}])
        else:
            assert tries(reply) == [("first", "stream_interrupted"), ("second", "ok")]
            assert reply["result"]["provider"] == "second"


def test_when_both_fail_the_first_ones_failure_is_told(pair: Any) -> None:
    both = pair(failing(429, {"retry-after": "77"}), failing(401))
    _, reply = both.ask()
    data = reply["error"]["data"]
    assert (data["type"], data["provider"], data["model"]) == ("rate_limited", "first", "m-first")
    assert (data["retry_after_ms"], data["http_status"]) == (77_000, 429)
    assert tries(reply) == [("first", "rate_limited"), ("second", "authentication")]
    assert "partial" not in data


def test_the_configured_chain_counts_unless_the_request_has_its_own(host: Host, pair: Any) -> None:
    both = pair(failing(500))
    unknown = {"provider": "nobody", "model": "m"}
    configure(host, "first", both.first.url, fallback=[unknown, *TO_SECOND])
    _, reply = both.ask(fallback=None, **ONCE)
    assert tries(reply) == [("first", "server_error"), ("second", "ok")]
    message = '"nobody" is not asked instead: There is no provider "nobody".'
    assert reply["result"]["warnings"] == [
        {"type": "fallback_unavailable", "message": message, "param": "fallback"},
    ]
    _, reply = both.ask(fallback=[], **ONCE)
    assert tries(reply) == [("first", "server_error")]


def test_a_missing_key_is_a_failure_like_others(host: Host, pair: Any) -> None:
    pair(failing(500))
    params = {"provider": "groq", "model": "m", "messages": [{"role": "user", "content": "Hi"}], "fallback": TO_SECOND}
    reply = host.reply(host.send("chat.complete", params))
    assert [provider for provider, _ in tries(reply)] == ["groq", "second"]
    assert reply["result"]["provider"] == "second"
    summary = host.call("usage.summary", {"group_by": ["provider"]})
    assert {group["provider"]: group["attempts"] for group in summary["groups"]} == {"groq": 1, "second": 1}
    del params["fallback"]
    assert host.fail("chat.complete", params)["data"]["provider"] == "groq"


def test_a_server_that_failed_is_passed_over_for_a_while(tmp_path: Path) -> None:
    with (
        session(tmp_path) as host,
        upstream.running(failing(503)) as first,
        upstream.running(GREETING) as second,
    ):
        both = Pair(host, first, second)
        both.ask(**ONCE)
        _, reply = both.ask(**ONCE)
        assert tries(reply) == [("second", "ok")]
        assert [warning["type"] for warning in reply["result"]["warnings"]] == ["fallback_skipped"]
        assert len(first.requests) == 1
        _, reply = both.ask(fallback=[], **ONCE)
        assert (tries(reply), len(first.requests)) == ([("first", "provider_overloaded")], 2)


def test_who_is_asked_is_settled_when_the_question_arrives(host: Host, pair: Any) -> None:
    both = pair(failing(500))
    params = {"messages": [{"role": "user", "content": "Hi"}], "provider": "first", "fallback": TO_SECOND, **ONCE}
    asked = host.send("chat.complete", params)
    removed = host.send("providers.remove", {"provider": "second"})
    replies = {}
    while len(replies) < 2:
        message = host.receive()
        replies[message["id"]] = message
    assert replies[removed]["result"] == {"removed": True}
    assert tries(replies[asked]) == [("first", "server_error"), ("second", "ok")]
    assert len(both.second.requests) == 1


def test_a_search_is_cancelled_like_any_answer(host: Host, pair: Any) -> None:
    arrived = threading.Event()

    async def hang(exchange: upstream.Exchange) -> None:
        arrived.set()
        await exchange.hang()

    pair(failing(500), hang)
    params = {"messages": [{"role": "user", "content": "Hi"}], "provider": "first", "fallback": TO_SECOND, **ONCE}
    id_ = host.send("chat.stream", {"stream_id": "s", **params})
    assert arrived.wait(PATIENCE_S)
    host.send("chat.cancel", {"stream_id": "s"})
    reply = host.reply(id_)
    assert reply["result"]["finish_reason"] == {"reason": "cancelled", "raw": None}
    assert reply["result"]["provider"] == "second"
    assert tries(reply) == [("first", "server_error"), ("second", "cancelled")]


def test_how_quick_a_model_is_does_not_show_in_an_answer_that_others_held_up(host: Host, pair: Any) -> None:
    listing = upstream.answer({"data": [{"id": "m-second"}]})

    async def answer_or_list(exchange: upstream.Exchange) -> None:
        await (GREETING if exchange.request.method == "POST" else listing)(exchange)

    def seen() -> list[bool]:
        found = host.call("models.recommend", {"providers": ["second"]})["models"]
        return ["first_token_ms" in one for one in found]

    both = pair(failing(500), answer_or_list)
    both.ask(**ONCE)
    assert seen() == [False]
    both.ask(provider="second", fallback=[])
    assert seen() == [True]

"""Kept answers through the real process: what a host gets, what a provider is asked, what survives a crash."""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import upstream
from host import Host, script, session
from recorded import exchanges, expectation

KEY = "sk-test-000000000000"
WORD = b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello "}}]}\n\n'
MORE = b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{"content":"there."}}]}\n\n'
COUNTS = b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}\n\n'
END = b'data: {"id":"c","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
GREETING = upstream.events(WORD, MORE, END, COUNTS, DONE)
HELLO = [{"type": "text", "text": "Hello there."}]
USAGE = {"input_tokens": 9, "output_tokens": 3, "source": "reported"}
NOTHING = {"amount": "0", "currency": "USD", "source": "cache", "estimated": False}
CROWD = 1000


@pytest.fixture
def server() -> Iterator[upstream.Server]:
    with upstream.running(GREETING) as server:
        yield server


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with session(tmp_path, "--allow-path", str(tmp_path)) as host:
        yield host


def point(host: Host, server: upstream.Server, **settings: Any) -> None:
    config = {"provider": "openai_compatible", "base_url": f"{server.url}/v1", "model": "m-1", "api_key": KEY}
    host.call("providers.set_active", {"config": config | settings})


def question(**options: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hi"}], "cache": {"mode": "on"}} | options


def plain(result: dict[str, Any]) -> dict[str, Any]:
    """Return what does not depend on where an answer came from."""
    apart = ("timing", "attempts", "cost", "cached", "chunks", "stream_id")
    return {name: value for name, value in result.items() if name not in apart}


def test_streams_and_whole_answers_are_answered_alike(host: Host, server: upstream.Server) -> None:
    point(host, server)
    first = host.call("chat.complete", question())
    again = host.call("chat.complete", question())
    seen: list[Any] = []
    streamed = host.reply(host.send("chat.stream", question(stream_id="s")), seen)["result"]
    assert len(server.requests) == 1
    assert "cached" not in first
    assert plain(first) == plain(again) == plain(streamed)
    assert (first["message"]["content"], first["usage"]) == (HELLO, USAGE)
    for result in (again, streamed):
        assert (result["cached"], result["cost"]) == (True, NOTHING)
        (attempt,) = result["attempts"]
        assert attempt | {"duration_ms": 0} == {
            "provider": "openai_compatible",
            "model": "m-1",
            "outcome": "ok",
            "duration_ms": 0,
            "cost": NOTHING,
            "cached": True,
        }
    assert [note["params"]["delta"] for note in seen] == [
        {"type": "text", "index": 0, "text": "Hello there."},
        {"type": "usage"} | USAGE,
    ]


def test_what_is_kept_outlives_the_sidecar(tmp_path: Path, server: upstream.Server) -> None:
    results = []
    for _ in range(2):
        with session(tmp_path) as host:
            point(host, server)
            results.append(host.call("chat.complete", question()))
    assert len(server.requests) == 1
    assert plain(results[0]) == plain(results[1])
    assert results[1]["cached"]


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({"api_key": "sk-test-111111111111"}, {}),
        ({"base_url": "{url}/v2"}, {}),
        ({"model": "m-2"}, {}),
        ({"id": "another"}, {}),
        ({"headers": {"x-team": "blue"}}, {}),
        ({}, {"tags": ["mine"]}),
        ({}, {"model": "m-2"}),
        ({}, {"messages": [{"role": "user", "content": "Hi "}]}),
        ({}, {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}),
        ({}, {"temperature": 0.5}),
        ({}, {"tools": [{"type": "function", "name": "f"}]}),
        ({}, {"provider_options": {"openai_compatible": {"x": 1}}}),
        ({}, {"cache": {"mode": "write"}}),
        ({}, {"cache": {"mode": "off"}}),
        ({}, {"cache": None}),
    ],
    ids=str,
)
def test_what_is_asked_otherwise_is_asked_anew(
    host: Host, server: upstream.Server, settings: dict[str, Any], options: dict[str, Any]
) -> None:
    point(host, server)
    host.call("chat.complete", question())
    if "base_url" in settings:
        settings = {"base_url": settings["base_url"].format(url=server.url)}
    point(host, server, **settings)
    assert "cached" not in host.call("chat.complete", question(**options))
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"include_message": True, "timeouts": {"idle": 60_000}, "retry": {"max_retries": 1}},
        {"cache": {"mode": "read"}},
        {"provider": "openai_compatible", "model": "m-1"},
    ],
    ids=str,
)
def test_what_does_not_change_the_answer_does_not_matter(
    host: Host, server: upstream.Server, options: dict[str, Any]
) -> None:
    point(host, server)
    host.call("chat.complete", question())
    assert host.call("chat.complete", question(**options))["cached"]


def test_a_file_that_has_changed_is_another_question(host: Host, server: upstream.Server, tmp_path: Path) -> None:
    point(host, server)
    file = tmp_path / "a.png"

    def ask(words: bytes) -> bool:
        file.write_bytes(words)
        source = {"type": "path", "path": str(file)}
        part = {"type": "file", "media_type": "image/png", "source": source}
        result = host.call("chat.complete", question(messages=[{"role": "user", "content": [part]}]))
        return bool(result.get("cached"))

    assert [ask(words) for words in (b"one", b"other", b"one")] == [False, False, True]


def test_a_thousand_who_ask_at_once_are_answered_by_one_question(tmp_path: Path) -> None:
    gate = upstream.Gate()

    async def handler(exchange: upstream.Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        await exchange.send(WORD)
        await gate.passed()
        for piece in (MORE, END, COUNTS, DONE):
            await exchange.send(piece)
        await exchange.end()

    limits = ("--limit", "max_requests=2000", "--limit", "max_streams=2000")
    with upstream.running(handler) as server, session(tmp_path, *limits) as host:
        point(host, server)
        methods = ("chat.stream", "chat.complete")
        asked = {host.send(methods[number % 2], question()) for number in range(CROWD)}
        seen: list[Any] = []
        host.reply(host.send("server.ping"), seen)
        assert not [message for message in seen if "result" in message]
        gate.open()
        replies, notes = collect(host, asked, seen)
        assert len(server.requests) == 1
        stats = host.call("cache.stats")
        told = host.call("usage.summary")["total"]
    results = [reply["result"] for reply in replies]
    assert all(result["message"]["content"] == HELLO and result["usage"] == USAGE for result in results)
    assert sum(not result.get("cached") for result in results) == 1
    texts: dict[str, str] = {}
    for note in notes:
        if note["method"] == "stream.chunk":
            id_ = note["params"]["stream_id"]
            texts[id_] = texts.get(id_, "") + note["params"]["delta"].get("text", "")
    assert list(texts.values()) == ["Hello there."] * (CROWD // 2)
    assert (stats["misses"], stats["joined"], stats["hits"], stats["stored"]) == (1, CROWD - 1, 0, 1)
    assert (told["attempts"], told["cached"], told["input_tokens"]) == (CROWD, CROWD - 1, 9)


def collect(host: Host, asked: set[Any], seen: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the replies to all that was asked, and the notifications."""
    messages = list(seen)
    waiting = set(asked)
    while waiting:
        message = host.receive()
        messages.append(message)
        waiting.discard(message.get("id"))
    return [m for m in messages if "result" in m], [m for m in messages if "method" in m]


def test_the_last_who_leaves_hangs_up_on_the_provider(host: Host) -> None:
    async def handler(exchange: upstream.Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        await exchange.send(WORD)
        await exchange.hang()

    with upstream.running(handler) as server:
        point(host, server)
        ids = [host.send("chat.stream", question(stream_id=name)) for name in "abc"]
        heard: set[str] = set()
        while len(heard) < len(ids):
            note = host.receive()
            if note["method"] == "stream.chunk":
                heard.add(note["params"]["stream_id"])
        outcomes = []
        for name, id_ in zip("abc", ids, strict=True):
            assert not server.gone.is_set()
            host.send("chat.cancel", {"stream_id": name})
            result = host.reply(id_)["result"]
            assert result["finish_reason"]["reason"] == "cancelled"
            assert result["message"]["content"] == [{"type": "text", "text": "Hello "}]
            outcomes += [(attempt["outcome"], attempt.get("cached", False)) for attempt in result["attempts"]]
        end = time.monotonic() + 5
        while not server.gone.is_set():
            assert time.monotonic() < end, "the connection to the provider is still open"
    assert outcomes == [("cancelled", True), ("cancelled", True), ("cancelled", False)]
    assert host.call("usage.summary")["total"]["cancelled"] == 3


@pytest.mark.parametrize("seed", range(4))
def test_a_crash_while_answers_are_kept_costs_at_most_those(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    texts = [f"{number}:" + "x" * chance.randrange(200_000) for number in range(40)]
    asks = [script({"do": "text", "text": text}, {"do": "finish"}, seed=number) for number, text in enumerate(texts)]
    with Host(tmp_path, "--scripted") as host:
        host.initialize()
        ids = [host.send("chat.complete", ask | {"cache": {"mode": "write"}}) for ask in asks]
        host.reply(ids[chance.randrange(len(ids))])
        host.process.kill()
        host.wait()
    with session(tmp_path, "--scripted") as host:
        before = host.call("cache.stats")
        assert before["storage"] == {"state": "disk"}
        for ask, text in zip(asks, texts, strict=True):
            result = host.call("chat.complete", ask | {"cache": {"mode": "on"}})
            assert result["message"]["content"] == [{"type": "text", "text": text}]
        after = host.call("cache.stats")
    assert (after["entries"], after["hits"]) == (len(texts), before["entries"])


def test_answers_are_dropped_when_a_host_says_so(host: Host, server: upstream.Server) -> None:
    point(host, server)
    for tags in (["a"], ["b"], ["a", "b"], []):
        host.call("chat.complete", question(tags=tags))
    assert host.call("cache.clear", {"tag": "a"}) == {"removed": 2}
    assert host.call("cache.stats")["entries"] == 2
    assert host.call("cache.clear") == {"removed": 2}
    assert "cached" not in host.call("chat.complete", question())


def test_in_memory_answers_are_kept_as_long_as_the_process(tmp_path: Path, server: upstream.Server) -> None:
    for _ in range(2):
        with session(tmp_path, "--storage", "memory") as host:
            point(host, server)
            cached = [host.call("chat.complete", question()).get("cached") for _ in range(2)]
            assert cached == [None, True]
            assert host.call("cache.stats")["storage"]["state"] == "memory"


CONFIGURATIONS: dict[str, dict[str, str]] = {
    "openai-chat": {"provider": "openai_compatible"},
    "openai-responses": {"provider": "openai", "api": "responses"},
    "anthropic-messages": {"provider": "anthropic"},
    "gemini-generate": {"provider": "google"},
    "ollama-chat": {"provider": "ollama"},
}
WHOLE = {"stop", "tool_calls"}
RECORDED = {exchange["id"]: exchange for exchange in exchanges() if expectation(exchange["id"])["error"] is None}


async def play(exchange: upstream.Exchange) -> None:
    """Answer with the recording that the path names."""
    recorded = RECORDED[exchange.request.path.split("/")[1]]
    kind = {name: value for name, value in recorded["response_headers"].items() if name.lower() == "content-type"}
    await exchange.respond(recorded["status"], kind, recorded["response_body"].encode())


def test_recorded_answers_are_kept_whole(tmp_path: Path) -> None:
    found: dict[str, int] = {}
    with upstream.running(play) as server, session(tmp_path) as host:
        for id_, recorded in RECORDED.items():
            address = {"base_url": f"{server.url}/{id_}/v1", "api_key": KEY}
            host.call("providers.set_active", {"config": CONFIGURATIONS[recorded["dialect"]] | address})
            ask = question(model=recorded.get("model") or "m", context_size=8192)
            seen: tuple[list[Any], list[Any]] = ([], [])
            first, second = (host.reply(host.send("chat.stream", ask), notes)["result"] for notes in seen)
            whole = first["finish_reason"]["reason"] in WHOLE and first["message"]["content"]
            assert bool(second.get("cached")) is bool(whole), id_
            assert plain(first) == plain(second)
            assert parts(seen[0]) == parts(seen[1]), id_
            if whole:
                found[recorded["dialect"]] = found.get(recorded["dialect"], 0) + 1
        asked = len(server.requests)
    assert found.keys() == CONFIGURATIONS.keys()
    assert asked == 2 * len(RECORDED) - sum(found.values())


def parts(notes: list[Any]) -> dict[Any, str]:
    """Return what the chunks of each part add up to, member by member."""
    found: dict[Any, str] = {}
    for note in notes:
        if note["method"] == "stream.chunk" and note["params"]["delta"]["type"] != "usage":
            delta = note["params"]["delta"]
            for name, value in delta.items():
                if name not in {"type", "index"}:
                    place = (delta["index"], delta["type"], name)
                    found[place] = found.get(place, "") + (value if isinstance(value, str) else json.dumps(value))
    return found

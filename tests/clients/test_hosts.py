"""Hosts in each language with the real sidecar: a whole session, and the sudden death of the host."""

import json
import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from host import PATIENCE_S, gone
from launch import launcher
from probes import PROBES

DEATH_S = 2.0
"""How long a sidecar may outlive its host."""
STREAM = {
    "provider": "scripted",
    "messages": [{"role": "user", "content": "Hi"}],
    "provider_options": {"scripted": {"steps": [{"do": "text", "text": "é𝄞"}, {"do": "hang"}]}},
}

Steps = list[dict[str, Any]]


@contextmanager
def host(client: str, folder: Path, steps: Steps) -> Generator[subprocess.Popen[bytes]]:
    """Run the client's probe with the steps and the real sidecar."""
    scenario = folder / "scenario.json"
    scenario.write_text(json.dumps({"host": steps}), "utf-8")
    command = [*PROBES[client](), str(scenario), str(launcher(folder)), "--scripted"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"HOME": str(folder)}) as process:
        yield process


def seen(process: subprocess.Popen[bytes], count: int) -> list[Any]:
    """Return what the probe saw in its next steps."""
    assert process.stdout
    return [json.loads(process.stdout.readline()) for _ in range(count)]


@pytest.mark.parametrize("client", PROBES)
def test_a_session_with_the_real_sidecar(client: str, tmp_path: Path) -> None:
    steps: Steps = [
        {"do": "start"},
        {"do": "pid"},
        {"do": "call", "method": "providers.set_active", "params": {"config": {"provider": "scripted"}}},
        *({"do": "typed", "method": method} for method in ("server.ping", "providers.list", "models.list")),
        {"do": "stream", "as": "s", "params": STREAM},
        {"do": "read", "as": "s", "count": 1},
        {"do": "cancel", "as": "s"},
        {"do": "result", "as": "s"},
        {"do": "converse", "as": "turn", "content": "Hello!"},
        {"do": "messages"},
        {"do": "close"},
    ]
    with host(client, tmp_path, steps) as process:
        started, pid, active, ping, providers, models, stream, read, _, result, turn, kept, closed = seen(
            process, len(steps)
        )
        assert process.wait(PATIENCE_S) == 0
    assert [started, stream, closed] == [{"started": True}, {"stream_id": "s1"}, {"closed": True}]
    assert active["result"]["kind"] == "scripted"
    assert ping["result"]["uptime_ms"] >= 0
    assert "scripted" in [provider["id"] for provider in providers["result"]["providers"]]
    assert models["result"]["models"]
    assert read == {"events": [{"type": "text", "index": 0, "text": "é𝄞"}]}
    assert result == {"result": {"finish_reason": "cancelled", "chunks": 1, "text": "é𝄞"}}
    assert turn["result"]["text"] == "Hello from the script."
    assert [message["role"] for message in kept["messages"]] == ["user", "assistant"]
    assert gone(pid["pid"], 0)


@pytest.mark.parametrize("client", PROBES)
def test_a_host_that_is_killed_leaves_no_process(client: str, tmp_path: Path) -> None:
    steps: Steps = [
        {"do": "start"},
        {"do": "pid"},
        {"do": "stream", "as": "s", "params": STREAM},
        {"do": "read", "as": "s", "count": 1},
        {"do": "wait"},
    ]
    with host(client, tmp_path, steps) as process:
        started, pid, _, read = seen(process, len(steps) - 1)
        process.send_signal(signal.SIGKILL)
        assert process.wait(PATIENCE_S) == -signal.SIGKILL
    assert started == {"started": True}
    assert read["events"]
    assert gone(pid["pid"], DEATH_S)

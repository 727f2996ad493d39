"""The Go client: its own tests and checks, its README's example, the real sidecar, and the death of its host."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from host import PATIENCE_S, gone
from probe_go import FOLDER, probe
from toolchains import require, run

SIDECAR = Path(sys.executable).with_name("llm-sidecar")
KEYCHAIN = "PYTHON_KEYRING_BACKEND=keyring.backends.fail.Keyring"
EXAMPLE = re.compile(r"```go\n(package main\n.*?)```", re.DOTALL)
DEATH_S = 2.0
"""How long a sidecar may outlive its host."""
SCRIPT = {"steps": [{"do": "text", "text": "Once"}, {"do": "hang"}]}
STREAM = {
    "provider": "scripted",
    "messages": [{"role": "user", "content": "Hi"}],
    "provider_options": {"scripted": SCRIPT},
}


def launcher(folder: Path) -> Path:
    """Return an executable that starts the real sidecar, which keeps all it has in the folder."""
    script = folder / "llm-sidecar"
    script.write_text(f'#!/bin/sh\nexec env {KEYCHAIN} "{SIDECAR}" --data-dir "{folder}/data" "$@"\n', "utf-8")
    script.chmod(0o755)
    return script


@contextmanager
def host(folder: Path, *steps: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the probe with the steps and the real sidecar."""
    scenario = folder / "scenario.json"
    scenario.write_text(json.dumps({"host": steps}), "utf-8")
    command = [*probe(), str(scenario), str(launcher(folder)), "--scripted"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"HOME": str(folder)}) as process:
        yield process


def seen(process: subprocess.Popen[bytes], count: int) -> list[Any]:
    """Return what the probe saw in its next steps."""
    assert process.stdout
    return [json.loads(process.stdout.readline()) for _ in range(count)]


def test_the_tests_pass() -> None:
    require("go")
    run("go", "test", "./...", cwd=FOLDER)


def test_the_tests_pass_under_the_race_detector() -> None:
    require("go", "gcc")
    run("go", "test", "-race", "./...", cwd=FOLDER, env={"CGO_ENABLED": "1"})


@pytest.mark.parametrize("system", ["linux", "darwin", "windows"])
def test_vet_finds_nothing_on_any_system(system: str) -> None:
    require("go")
    run("go", "vet", "./...", cwd=FOLDER, env={"GOOS": system, "CGO_ENABLED": "0"})


def test_the_source_is_formatted() -> None:
    require("gofmt")
    assert run("gofmt", "-l", ".", cwd=FOLDER) == ""


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    require("go")
    (example,) = EXAMPLE.findall((FOLDER / "README.md").read_text("utf-8"))
    (tmp_path / "main.go").write_text(example, "utf-8")
    shutil.copyfile(FOLDER / "go.mod", tmp_path / "go.mod")
    run("go", "mod", "edit", "-module", "example", "-require", "llmsidecar@v0.0.0", cwd=tmp_path)
    run("go", "mod", "edit", "-replace", f"llmsidecar={FOLDER}", cwd=tmp_path)
    assert run("gofmt", "-l", ".", cwd=tmp_path) == ""
    run("go", "vet", ".", cwd=tmp_path)
    output = run("go", "run", ".", cwd=tmp_path, env={"LLM_SIDECAR": str(launcher(tmp_path))})
    assert output == "Hello from the script."


def test_the_real_sidecar_is_called_and_cancelled_and_closed(tmp_path: Path) -> None:
    steps: list[dict[str, Any]] = [
        {"do": "start"},
        {"do": "pid"},
        {"do": "call", "method": "providers.set_active", "params": {"config": {"provider": "scripted"}}},
        *({"do": "typed", "method": method} for method in ("server.ping", "providers.list", "models.list")),
        {"do": "stream", "as": "s", "params": STREAM},
        {"do": "read", "as": "s", "count": 1},
        {"do": "cancel", "as": "s"},
        {"do": "result", "as": "s"},
        {"do": "converse", "content": "Hello!"},
        {"do": "messages"},
        {"do": "close"},
    ]
    with host(tmp_path, *steps) as process:
        started, pid, active, ping, providers, models, stream, read, _, result, turn, kept, closed = seen(
            process, len(steps)
        )
        assert process.wait(PATIENCE_S) == 0
    assert [started, stream, closed] == [{"started": True}, {"stream_id": "s1"}, {"closed": True}]
    assert active["result"]["kind"] == "scripted"
    assert ping["result"]["uptime_ms"] >= 0
    assert "scripted" in [provider["id"] for provider in providers["result"]["providers"]]
    assert models["result"]["models"]
    assert read == {"events": [{"type": "text", "index": 0, "text": "Once"}]}
    assert result == {"result": {"finish_reason": "cancelled", "chunks": 1, "text": "Once"}}
    assert turn["result"]["text"] == "Hello from the script."
    assert [message["role"] for message in kept["messages"]] == ["user", "assistant"]
    assert gone(pid["pid"], 0)


def test_a_host_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    steps: list[dict[str, Any]] = [
        {"do": "start"},
        {"do": "pid"},
        {"do": "stream", "as": "s", "params": STREAM},
        {"do": "read", "as": "s", "count": 1},
    ]
    with host(tmp_path, *steps, {"do": "wait"}) as process:
        started, pid, _, read = seen(process, len(steps))
        process.send_signal(signal.SIGKILL)
        assert process.wait(PATIENCE_S) == -signal.SIGKILL
    assert started == {"started": True}
    assert read["events"]
    assert gone(pid["pid"], DEATH_S)

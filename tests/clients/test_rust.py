"""The Rust client: its own tests and checks, its README's example, the real sidecar, and the death of its host."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from host import PATIENCE_S, gone
from probe_rust import FOLDER, example, probe
from toolchains import require, run

SIDECAR = Path(sys.executable).with_name("llm-sidecar")
KEYCHAIN = "PYTHON_KEYRING_BACKEND=keyring.backends.fail.Keyring"
EXAMPLE = re.compile(r"```rust,no_run\n(.*?)```", re.DOTALL)
DEATH_S = 2.0
"""How long a sidecar may outlive its host."""

STREAM = {
    "provider": "scripted",
    "messages": [{"role": "user", "content": "Hi"}],
    "provider_options": {"scripted": {"steps": [{"do": "text", "text": "é𝄞"}, {"do": "hang"}]}},
}


def launcher(folder: Path) -> Path:
    """Return an executable that starts the real sidecar, which keeps all it has in the folder."""
    script = folder / "llm-sidecar"
    script.write_text(f'#!/bin/sh\nexec env {KEYCHAIN} "{SIDECAR}" --data-dir "{folder}/data" "$@"\n', "utf-8")
    script.chmod(0o755)
    return script


@contextmanager
def host(folder: Path, *steps: dict[str, Any]) -> Generator[subprocess.Popen[bytes]]:
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


@pytest.mark.parametrize(
    "command",
    [
        ["test", "--locked"],
        ["clippy", "--locked", "--all-targets", "--", "--deny", "warnings"],
        ["fmt", "--check"],
        ["doc", "--locked", "--no-deps"],
        ["package", "--locked", "--allow-dirty", "--no-verify", "--list"],
    ],
    ids=lambda command: command[0],
)
def test_the_tests_pass_and_the_checks_find_nothing(command: list[str]) -> None:
    require("cargo")
    run("cargo", *command, cwd=FOLDER, env={"RUSTDOCFLAGS": "--deny warnings"})


def test_the_example_is_that_of_the_readme() -> None:
    text, *_ = EXAMPLE.findall((FOLDER / "README.md").read_text("utf-8"))
    assert (FOLDER / "examples" / "quickstart.rs").read_text("utf-8").endswith(f"\n\n{text}")


@pytest.mark.parametrize("place", ["variable", "beside", "folder", "path"])
def test_the_example_of_the_readme_runs_wherever_the_sidecar_is(place: str, tmp_path: Path) -> None:
    app = tmp_path / "app"
    sidecars = {"beside": app, "folder": app / "llm-sidecar"}.get(place, tmp_path / "elsewhere")
    app.mkdir()
    sidecars.mkdir(exist_ok=True)
    host = shutil.copy(example("quickstart"), app)
    sidecar = launcher(sidecars)
    settings = {"variable": {"LLM_SIDECAR": str(sidecar)}, "path": {"PATH": f"{sidecars}:{os.environ['PATH']}"}}
    assert run(host, cwd=tmp_path, env={"LLM_SIDECAR": "", **settings.get(place, {})}) == "Hello from the script."


def test_the_real_sidecar_is_called_and_cancelled_and_closed(tmp_path: Path) -> None:
    steps = [
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


def test_a_host_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    steps = [
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

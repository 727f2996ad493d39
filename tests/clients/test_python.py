"""The Python client: its own tests and checks, its README's example, and the death of its host."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from host import PATIENCE_S, gone
from probe_python import FOLDER, probe, python
from replay import REPLAY, divergences
from toolchains import run

BIN = Path(sys.executable).parent
SIDECAR = BIN / "llm-sidecar"
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
ON_TRIO = [
    "cancelled-call",
    "close-ignored",
    "close-with-streams",
    "crash-in-a-stream",
    "leave-iteration",
    "restart-configurations",
    "stderr-flood",
    "stream-unknown",
    "unread-bound",
]
"""Scenarios in which tasks, cancellation or processes matter; all of them are played with asyncio elsewhere."""
DEATH_S = 2.0
"""How long a sidecar may outlive its host."""


def launcher(folder: Path) -> Path:
    """Return an executable that starts the real sidecar with its data in the folder, and without a keychain."""
    script = folder / "llm-sidecar"
    keychain = "PYTHON_KEYRING_BACKEND=keyring.backends.fail.Keyring"
    script.write_text(f'#!/bin/sh\nexec env {keychain} "{SIDECAR}" --data-dir "{folder}/data" "$@"\n', "utf-8")
    script.chmod(0o755)
    return script


def test_the_unit_tests_pass_where_the_sidecar_is_not_installed() -> None:
    run(python(), "-c", "import importlib.util as u; assert not u.find_spec('sidecar')", cwd=FOLDER)
    assert " passed" in run(python(), "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=FOLDER)


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy", "--python-executable", "PYTHON", "src", "tests", "probe"],
        ["mypy", "--python-executable", "PYTHON", "--platform", "win32", "src"],
        ["pyright", "--pythonpath", "PYTHON"],
        ["pyright", "--pythonpath", "PYTHON", "--pythonplatform", "Windows", "src"],
    ],
    ids=" ".join,
)
def test_the_checks_find_nothing(command: list[str]) -> None:
    words = [str(python()) if word == "PYTHON" else word for word in command]
    run(BIN / words[0], *words[1:], cwd=FOLDER)


def test_it_needs_two_packages_and_no_more() -> None:
    script = "import importlib.metadata as m; print(*m.requires('llm-sidecar-client'), sep='\\n')"
    required = [line for line in run(python(), "-c", script, cwd=FOLDER).splitlines() if "extra ==" not in line]
    assert [re.split(r"\W", line)[0] for line in required] == ["anyio", "msgspec"]


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    (example,) = EXAMPLE.findall((FOLDER / "README.md").read_text("utf-8"))
    script = tmp_path / "example.py"
    script.write_text(example, "utf-8")
    output = run(python(), "-W", "error", script, cwd=tmp_path, env={"LLM_SIDECAR": str(launcher(tmp_path))})
    assert output == "Hello from the script."


@pytest.mark.parametrize("name", ON_TRIO)
def test_trio_sees_what_asyncio_sees(tmp_path: Path, name: str) -> None:
    assert divergences(["env", "PROBE_BACKEND=trio", *probe()], REPLAY / f"{name}.json", tmp_path) == []


def test_a_host_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    hang = {"provider_options": {"scripted": {"steps": [{"do": "text", "text": "a"}, {"do": "hang"}]}}}
    params = {"provider": "scripted", "messages": [{"role": "user", "content": "Hi"}]} | hang
    steps = [
        {"do": "start"},
        {"do": "pid"},
        {"do": "stream", "as": "s", "params": params},
        {"do": "read", "as": "s", "count": 1},
        {"do": "wait"},
    ]
    scenario = tmp_path / "scenario.json"
    scenario.write_text(json.dumps({"host": steps}), "utf-8")
    command = [*probe(), str(scenario), str(launcher(tmp_path)), "--scripted"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"HOME": str(tmp_path)}) as host:
        assert host.stdout
        seen = [json.loads(host.stdout.readline()) for _ in steps[:-1]]
        host.send_signal(signal.SIGKILL)
        assert host.wait(PATIENCE_S) == -signal.SIGKILL
    assert [next(iter(line)) for line in seen] == ["started", "pid", "stream_id", "events"]
    assert gone(seen[1]["pid"], DEATH_S)

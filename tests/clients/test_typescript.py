"""The TypeScript client: its tests, its README's example, the real sidecar, and the death of its host."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conformance import TRANSCRIPTS
from host import PATIENCE_S, gone
from probe_typescript import build, probe
from toolchains import require, run

SIDECAR = Path(sys.executable).with_name("llm-sidecar")
NO_KEYCHAIN = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
EXAMPLE = re.compile(r"```js\n(import .*?)```", re.DOTALL)
DEATH_S = 2.0
"""How long a sidecar may outlive its host."""
SCRIPT = {"steps": [{"do": "text", "text": "Once"}, {"do": "hang"}]}
STREAM = {
    "provider": "scripted",
    "messages": [{"role": "user", "content": "Hi"}],
    "provider_options": {"scripted": SCRIPT},
}


@contextmanager
def host(folder: Path, *steps: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the probe with the steps and the real sidecar."""
    scenario = folder / "scenario.json"
    scenario.write_text(json.dumps({"host": steps}), "utf-8")
    command = [*probe(), str(scenario), str(SIDECAR), "--scripted", "--data-dir", str(folder / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | NO_KEYCHAIN) as process:
        yield process


def seen(process: subprocess.Popen[bytes], count: int) -> list[Any]:
    """Return what the probe saw in its next steps."""
    assert process.stdout
    return [json.loads(process.stdout.readline()) for _ in range(count)]


def test_the_tests_pass() -> None:
    run("node", "--test", "build/test/", cwd=build())


def test_the_documentation_of_the_api_is_complete_enough_to_be_built() -> None:
    run("npm", "run", "--silent", "docs", cwd=build())


def test_the_package_holds_what_it_exports_and_no_sources() -> None:
    (packed,) = json.loads(run("npm", "pack", "--dry-run", "--ignore-scripts", "--json", "--silent", cwd=build()))
    paths = {file["path"] for file in packed["files"]}
    assert {"package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"} <= paths
    assert not {path for path in paths if path.startswith("src/") or "/test" in path}


def test_the_package_has_no_dependencies() -> None:
    package = json.loads((build() / "package.json").read_text("utf-8"))
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & package.keys()


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    folder = build()
    (example,) = EXAMPLE.findall((folder / "README.md").read_text("utf-8"))
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "llm-sidecar").symlink_to(folder, target_is_directory=True)
    (tmp_path / "example.mjs").write_text(example, "utf-8")
    env = {"LLM_SIDECAR": str(SIDECAR), "HOME": str(tmp_path)} | NO_KEYCHAIN
    assert run("node", "example.mjs", cwd=tmp_path, env=env, timeout=PATIENCE_S) == "Hello from the script.\nstop\n"


def test_the_example_of_the_readme_is_typed_by_the_package(tmp_path: Path) -> None:
    folder = build()
    (example,) = EXAMPLE.findall((folder / "README.md").read_text("utf-8"))
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "llm-sidecar").symlink_to(folder, target_is_directory=True)
    (tmp_path / "example.mts").write_text(f"{example}const wrong: number = stream.id;\n", "utf-8")
    settings = ("--ignoreConfig", "--noEmit", "--strict", "--target", "es2022", "--module", "nodenext")
    types = ("--typeRoots", str(folder / "node_modules" / "@types"), "--types", "node")
    done = subprocess.run(
        [str(folder / "node_modules" / ".bin" / "tsc"), *settings, *types, "example.mts"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        timeout=PATIENCE_S,
        check=False,
    )
    (complaint,) = done.stdout.decode().splitlines()
    assert "Type 'string' is not assignable to type 'number'" in complaint


def test_every_transcript_holds_for_a_player_in_another_language() -> None:
    command = ("npm", "run", "--silent", "conformance", "--", sys.executable, "-m", "sidecar")
    output = run(*command, cwd=build(), env={"PYTHONPATH": str(build().parents[1])})
    assert output.splitlines()[-1] == f"{len(TRANSCRIPTS)} passed, 0 failed", output


def test_a_transcript_that_does_not_hold_fails() -> None:
    require("false")
    done = subprocess.run(
        ["node", "build/conformance/main.js", "false"],
        cwd=build(),
        stdout=subprocess.PIPE,
        timeout=PATIENCE_S * 4,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.decode().splitlines()[-1] == f"0 passed, {len(TRANSCRIPTS)} failed"


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

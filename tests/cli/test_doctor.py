"""What the doctor finds, and the command as a process of its own."""

import json
import platform
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import upstream
from host import ROOT, environment
from kept_keys import MEMORY_KEYCHAIN

from sidecar import __version__
from sidecar.cli import doctor
from sidecar.cli.checkup import Facts, Folder, Problem, Report, Runtime, Versions, lines, problems
from sidecar.cli.client import CallFailed
from sidecar.schema import providers as schema
from sidecar.schema.credentials import KeychainState
from sidecar.schema.errors import SidecarError
from sidecar.schema.ledger import StorageState

PATIENCE_S = 60.0
KEY = "sk-canary-1234567890abcdef"
HEADER = "canary-header-1234567890"
PASSWORD = "canary-password-1234567890"
LISTING = upstream.answer({"data": [{"id": "small-1"}]})
NO_KEYCHAIN = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def run(home: Path, *flags: str, **env: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "sidecar", "doctor", *flags]
    done = subprocess.run(
        command,
        env=environment(home, **env),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def report(home: Path, *flags: str, **env: str) -> Any:
    code, out, err = run(home, "--json", *flags, **env)
    assert (out.count("\n"), err) == (1, "")
    told = json.loads(out)
    assert code == (0 if told["ok"] else 1)
    return told


def test_where_all_is_well_the_facts_are_told_and_the_code_is_0(tmp_path: Path) -> None:
    told = report(tmp_path, "--data-dir", str(tmp_path / "data"), **MEMORY_KEYCHAIN)
    assert (told["ok"], told["problems"], told["tests"]) == (True, [], [])
    assert told["versions"] == {
        "sidecar": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "platform": platform.platform(),
    }
    assert told["data_dir"] == {"path": str(tmp_path / "data"), "problem": None}
    assert (told["keychain"]["state"], told["storage"]) == ("ok", {"state": "disk"})
    assert [runtime["name"] for runtime in told["runtimes"]] == ["llama-cpp-python", "xllamacpp"]
    assert all(provider["local"] for provider in told["providers"])


def test_people_are_told_in_lines(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, "--data-dir", str(tmp_path / "data"), **MEMORY_KEYCHAIN)
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == [
        *("versions", "platform", "runtimes", "data", "keychain", "storage", "All"),
    ]


def test_a_missing_keychain_is_a_problem_with_a_hint(tmp_path: Path) -> None:
    told = report(tmp_path, **NO_KEYCHAIN)
    assert told["keychain"]["state"] == "unavailable"
    assert told["problems"] == [
        {
            "where": "keychain",
            "problem": "This system has no working keychain.",
            "hint": told["keychain"]["hint"],
        }
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is where nobody can write")
def test_a_folder_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    for folder, at in [(file / "data", file), (Path("/proc/data"), Path("/proc"))]:
        told = report(tmp_path, "--data-dir", str(folder), **MEMORY_KEYCHAIN)
        assert told["data_dir"]["problem"].startswith(f"{at} cannot be written: ")
        assert {problem["where"] for problem in told["problems"]} == {"data", "storage"}


def test_a_damaged_ledger_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "data-llm-sidecar.sqlite3").write_bytes(b"What is this? " * 99)
    told = report(tmp_path, "--data-dir", str(tmp_path), **MEMORY_KEYCHAIN)
    assert [(problem["where"], problem["problem"]) for problem in told["problems"]] == [
        ("storage", told["storage"]["problem"])
    ]


def configured(home: Path, server: str, **members: str) -> Path:
    lines = [f"{name} = {value!r}" for name, value in members.items()]
    file = home / "config.toml"
    file.write_text(
        "\n".join(
            [
                *lines,
                "[[providers]]",
                "provider = 'vllm'",
                "id = 'mine'",
                "model = 'small-1'",
                f"base_url = '{server}/v1'",
                f"api_key = '{KEY}'",
                f"headers = {{ x-team = '{HEADER}' }}",
            ]
        )
    )
    return file


def test_without_online_no_server_is_asked(tmp_path: Path) -> None:
    with upstream.running(LISTING) as server:
        told = report(tmp_path, "--config", str(configured(tmp_path, server.url)), **MEMORY_KEYCHAIN)
        assert (told["tests"], server.connections) == ([], 0)
    mine = [provider for provider in told["providers"] if provider["id"] == "mine"]
    assert [(provider["key"], provider["base_url"]) for provider in mine] == [
        ({"source": "config", "masked": "…cdef"}, f"{server.url}/v1")
    ]


def test_online_providers_that_are_set_up_are_tested_and_others_are_only_told(tmp_path: Path) -> None:
    with upstream.running(LISTING) as server:
        told = report(tmp_path, "--online", "--config", str(configured(tmp_path, server.url)), **MEMORY_KEYCHAIN)
        assert [request.method for request in server.requests] == ["GET"]
    tests = {test["provider"]: test for test in told["tests"]}
    assert (told["ok"], tests["mine"]["ok"]) == (True, True)
    assert {"ollama", "lmstudio"} < set(tests)
    with upstream.running(upstream.answer({"error": {"message": f"Incorrect API key: {KEY}"}}, 401)) as server:
        told = report(tmp_path, "--online", "--config", str(configured(tmp_path, server.url)), **MEMORY_KEYCHAIN)
    assert [problem["where"] for problem in told["problems"]] == ["mine"]
    assert told["problems"][0]["problem"].startswith("failed at auth: ")


def test_no_secret_is_told(tmp_path: Path) -> None:
    echo = {"error": {"message": f"No key {KEY}, no header {HEADER}, no password {PASSWORD}"}}
    with upstream.running(upstream.answer(echo, 401)) as server:
        file = configured(tmp_path, server.url, proxy=f"http://me:{PASSWORD}@127.0.0.1:1")
        told = [
            run(tmp_path, "--online", "--key-env", "--config", str(file), *flags, **MEMORY_KEYCHAIN, GROQ_API_KEY=KEY)
            for flags in [(), ("--json",), ("--ca-file", "/nonexistent")]
        ]
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    for _, out, err in told:
        assert [secret for secret in (KEY, HEADER, PASSWORD) if secret in out + err] == []
    assert [code for code, _, _ in told] == [1, 1, 1]


def test_a_sidecar_that_does_not_start_says_why(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, "--ca-file", "/nonexistent.pem")
    assert (code, out) == (1, "")
    assert "the CA file /nonexistent.pem: No such file or directory" in err
    code, out, err = run(tmp_path, "--json", "--config", "/nonexistent.toml")
    assert (code, json.loads(out)["error"]["data"]["type"]) == (1, "connection_closed")


def test_wrong_usage_exits_with_2(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, "--offline")
    assert (code, out) == (2, "")
    assert "usage: llm-sidecar doctor" in err


@pytest.mark.anyio
async def test_a_sidecar_that_ends_during_the_tests_is_one_failure() -> None:
    class Gone:
        async def call(self, *_: object) -> schema.TestResult:
            raise CallFailed(SidecarError("connection_closed").to_object())

    with pytest.raises(CallFailed):
        await doctor._tests(Gone(), [info("a"), info("b")])  # type: ignore[arg-type]


def info(id_: str, **fields: Any) -> schema.ProviderInfo:
    usual: dict[str, Any] = {"kind": id_, "name": id_, "configured": False, "active": False, "local": True}
    return schema.ProviderInfo(id=id_, **{"needs_key": False, "key": schema.KeyInfo("none")} | usual | fields)


def facts(**fields: Any) -> Facts:
    usual: dict[str, Any] = {
        "versions": Versions("1.0", "3.14.0", "3.50", "Linux"),
        "runtimes": [Runtime("a", installed=True, version="2"), Runtime("b", installed=True), Runtime("c", False)],
        "data_dir": Folder("/data"),
        "keychain": KeychainState("ok", "Keychain"),
        "storage": StorageState("disk"),
        "providers": [],
    }
    return Facts(**usual | fields)


def failing(provider: str) -> schema.TestResult:
    error = SidecarError("connect", "Nobody is there.").to_object()
    stages = [schema.TestStage("dns", True, 1), schema.TestStage("tcp", False, 2, error, "Start it.")]
    return schema.TestResult(False, provider, stages)


def test_every_state_that_is_not_well_is_a_problem() -> None:
    ill = facts(
        data_dir=Folder("/data", "/data cannot be written."),
        keychain=KeychainState("locked", hint="Unlock it."),
        storage=StorageState("memory", "The disk is full.", "Make room."),
        providers=[info("mine", configured=True), info("theirs"), info("saved", key=schema.KeyInfo("keychain"))],
        tests=[failing("mine"), failing("theirs"), failing("saved")],
    )
    assert problems(ill) == [
        Problem("data", "/data cannot be written.", "Name another folder with --data-dir."),
        Problem("keychain", "The keychain is locked.", "Unlock it."),
        Problem("storage", "The disk is full.", "Make room."),
        Problem("mine", "failed at tcp: Nobody is there.", "Start it."),
        Problem("saved", "failed at tcp: Nobody is there.", "Start it."),
    ]


def test_data_kept_in_memory_by_choice_is_no_problem() -> None:
    assert problems(facts(storage=StorageState("memory"))) == []


def test_the_table_of_a_report() -> None:
    well = schema.TestResult(True, "mine", [schema.TestStage("dns", True, 1), schema.TestStage("tcp", True, 20)])
    mine = info("mine", configured=True, key=schema.KeyInfo("config", "…cdef"), model="m", base_url="http://x/v1")
    found = facts(providers=[mine, info("theirs")], tests=[well, failing("theirs")])
    told = {name: getattr(found, name) for name in Facts.__struct_fields__}
    assert lines(Report(**told, ok=False, problems=[Problem("data", "It is full.", "Make room.")])) == [
        "versions  llm-sidecar 1.0, Python 3.14.0, SQLite 3.50",
        "platform  Linux",
        "runtimes  a 2, b installed, c not installed",
        "data      /data",
        "keychain  ok Keychain",
        "storage   disk",
        "providers",
        "  mine  key: config …cdef  m  http://x/v1",
        "tests",
        "  mine    ok: dns 1 ms, tcp 20 ms",
        "  theirs  failed at tcp: Nobody is there.",
        "problem: data: It is full.",
        "hint: Make room.",
    ]


def test_the_command_loads_no_server() -> None:
    code = f"import sys, {doctor.__name__}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint({"sidecar.app", "sidecar.methods", "sidecar.storage", "sqlite3"})

"""`llm-sidecar models` as a process of its own, with a hub on loopback, and with a real terminal."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import upstream
from host import environment
from hub import Hub
from local_models import gguf
from terminal import Terminal
from upstream import Server

from sidecar.cli import models
from sidecar.cli.model_options import parse

MODELS = [sys.executable, "-m", "sidecar", "models"]
NONE = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "PYTHONUTF8": "1"}
PATIENCE_S = 30.0
ROOT = Path(__file__).parents[2]

MODEL = gguf(data=os.urandom(1 << 20))
DIGEST = hashlib.sha256(MODEL).hexdigest()
REPO = ("maker/tiny-GGUF", "tiny-Q4.gguf")
ID = "maker/tiny-GGUF/tiny-Q4"
IN_REPO = "/maker/tiny-GGUF/resolve/main/tiny-Q4.gguf"
HALF = len(MODEL) // 2

on_a_terminal = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals like these")


class Commands:
    """The command, in a home of its own, with a hub of its own."""

    def __init__(self, home: Path, hub: Server) -> None:
        self.home = home
        self.hub = hub
        self.env = environment(home, HF_ENDPOINT=hub.url, **NONE)

    def run(self, *flags: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [*MODELS, *flags, f"--data-dir={self.home}"],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def json(self, *flags: str) -> tuple[int, Any]:
        code, out, err = self.run(*flags, "--json")
        assert (err, out.count("\n")) == ("", 1)
        return code, json.loads(out)

    def terminal(self, *flags: str) -> Terminal:
        return Terminal([*MODELS, *flags, f"--data-dir={self.home}"], self.env)

    def file(self, path: str) -> Path:
        return self.home / "models" / path


@pytest.fixture
def hub() -> Hub:
    return Hub({IN_REPO: MODEL, "/tiny.gguf": MODEL, "/text.gguf": b"This is no model." * 100})


@pytest.fixture
def commands(tmp_path: Path, hub: Hub) -> Iterator[Commands]:
    with upstream.running(hub) as server:
        yield Commands(tmp_path, server)


@pytest.fixture
def fetched(commands: Commands) -> Commands:
    """Return the commands, one model being there."""
    assert commands.run("download", *REPO)[0] == 0
    return commands


def test_flags_become_params_and_the_flags_of_a_sidecar(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    options = parse(["download", "a/b", "c.gguf", "--sha256=ff", "--revision=v1", "--proxy=http://p", "--json"])
    assert options.params == {"repo": "a/b", "file": "c.gguf", "sha256": "ff", "revision": "v1"}
    assert (options.action, options.flags, options.json) == ("download", ["--key-env", "--proxy=http://p"], True)
    options = parse(["download", "https://x.test/c.gguf", "--data-dir=/d e", "--models-dir=m", "--app-id=-a"])
    assert options.params == {"url": "https://x.test/c.gguf"}
    assert options.flags == ["--key-env", "--data-dir=/d e", "--models-dir=m", "--app-id=-a"]
    monkeypatch.chdir(tmp_path)
    assert parse(["info", "m.gguf"]).params == {"model": str(tmp_path / "m.gguf")}
    assert parse(["info", "a/b/m"]).params == {"model": "a/b/m"}
    assert parse(["list"]).params == {"provider": "local"}
    assert parse(["delete", "m", "--yes"]).yes is True


def test_a_model_is_fetched_listed_described_and_deleted(commands: Commands) -> None:
    code, out, err = commands.run("download", *REPO, f"--sha256={DIGEST}")
    file = commands.file("maker/tiny-GGUF/tiny-Q4.gguf")
    assert (code, out) == (0, f"{ID} is here: 1.0 MiB\nfile    {file}\nsha256  {DIGEST}\n")
    assert err.splitlines()[-1] == f"Ask it with: llm-sidecar chat --model {file}"
    assert file.read_bytes() == MODEL
    head, row = commands.run("list")[1].splitlines()
    assert head.split() == ["model", "from", "size", "params", "context"]
    assert row.split() == [ID, "models", "1.0", "MiB", "32", "2,048"]
    told = commands.run("info", ID)
    assert (told[0], told[2]) == (0, "")
    assert f"size           1.0 MiB ({len(MODEL):,} bytes)\n" in told[1]
    assert "this machine   has room for it in its memory\n" in told[1]
    assert commands.run("delete", ID, "--yes") == (0, f"{ID} is deleted, which freed 1.0 MiB.\n", "")
    assert not file.exists()
    assert commands.run("delete", ID, "--yes") == (1, f"There is no model {ID} to delete.\n", "")
    assert commands.run("list")[:2] == (
        0,
        "There are no models on this machine; `llm-sidecar models download` fetches one.\n",
    )


def test_without_a_folder_it_is_the_usual_one_in_which_chat_looks_too(commands: Commands) -> None:
    command = [*MODELS, "download", commands.hub.url + "/tiny.gguf"]
    done = subprocess.run(command, env=commands.env, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stderr.splitlines()[-1] == "Ask it with: llm-sidecar chat --provider local --model tiny"
    Path(done.stdout.splitlines()[1].split(maxsplit=1)[1]).write_bytes(b"This is no model.")
    ask = [*MODELS[:-1], "chat", "--provider", "local", "--model", "tiny", "--json", "Hi"]
    asked = subprocess.run(ask, env=commands.env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert json.loads(asked.stdout)["error"]["message"] == "The model file tiny.gguf is not a GGUF file."


def test_json_is_what_the_methods_tell(commands: Commands) -> None:
    code, done = commands.json("download", commands.hub.url + "/tiny.gguf")
    path = str(commands.file("tiny.gguf"))
    assert (code, done) == (0, {"model": "tiny", "path": path, "size_bytes": len(MODEL), "sha256": DIGEST})
    code, listed = commands.json("list")
    assert (code, listed["provider"], [model["id"] for model in listed["models"]]) == (0, "local", ["tiny"])
    code, told = commands.json("info", "tiny")
    assert (code, told["id"], told["fits"], told["source"]) == (0, "tiny", True, "models")
    assert commands.json("delete", "tiny", "--yes") == (0, {"deleted": True, "freed_bytes": len(MODEL)})


def test_any_model_file_is_described(commands: Commands) -> None:
    file = commands.home / "own.gguf"
    file.write_bytes(gguf({"general.name": "My own", "tokenizer.chat_template": "{{ tools }}"}))
    code, out, err = commands.run("info", str(file))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:3] == ["model          own", f"file           {file}", "name           My own"]
    assert "capabilities   tools, structured output" in lines


def test_a_file_that_is_no_model_is_told(commands: Commands) -> None:
    file = commands.home / "own.gguf"
    file.write_bytes(b"This is no model.")
    assert commands.run("info", str(file)) == (1, "", "error: The model file own.gguf is not a GGUF file.\n")
    code, failure = commands.json("info", str(file))
    assert (code, failure["error"]["data"]["type"]) == (1, "model_file_invalid")


def test_a_model_that_is_not_there_is_told_with_what_helps(commands: Commands) -> None:
    message = (
        'error: There is no model "nope" on this machine.\nhint: `llm-sidecar models list` tells which there are.\n'
    )
    assert commands.run("info", "nope") == (1, "", message)


def test_without_a_terminal_progress_comes_in_lines(commands: Commands, hub: Hub) -> None:
    hub.pause = HALF
    command = [*MODELS, "download", *REPO, f"--data-dir={commands.home}"]
    with subprocess.Popen(command, env=commands.env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stderr
        lines = [process.stderr.readline().decode()]
        while "0.5 of 1.0 MiB" not in lines[-1]:
            lines.append(process.stderr.readline().decode())
            assert lines[-1], lines
        hub.gate.open()
        assert process.wait(PATIENCE_S) == 0
    assert re.match(r"\d+ %, 0\.5 of 1\.0 MiB", lines[-1])
    assert "\x1b" not in "".join(lines)


def test_a_download_that_fails_is_told_and_leaves_nothing(commands: Commands) -> None:
    code, out, err = commands.run("download", commands.hub.url + "/none.gguf")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("error: 127.0.0.1:")
    code, failure = commands.json("download", commands.hub.url + "/text.gguf")
    assert (code, failure["error"]["data"]["type"]) == (1, "model_file_invalid")
    code, failure = commands.json("download", *REPO, f"--sha256={'0' * 64}")
    assert (code, failure["error"]["data"]["type"]) == (1, "checksum_mismatch")
    assert [path for path in commands.file("").rglob("*") if path.is_file()] == []


def test_another_providers_models_are_listed(commands: Commands) -> None:
    code, out, err = commands.run("list", "--provider", "openai")
    assert (code, out) == (1, "")
    assert err.startswith("error: There is no API key for OpenAI.\nhint: Save one with `llm-sidecar keys set`")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("download", "maker/tiny"), "name either a URL, or a repository and a file in it"),
        (("download", "https://x.test/a.gguf", "a.gguf"), "name either a URL, or a repository and a file in it"),
        (("delete", "tiny"), "there is no terminal to ask at; --yes deletes without asking"),
        (("fetch",), "invalid choice: 'fetch'"),
        ((), "the following arguments are required"),
    ],
)
def test_wrong_usage_exits_with_2(commands: Commands, flags: tuple[str, ...], message: str) -> None:
    code, out, err = commands.run(*flags)
    assert (code, out) == (2, "")
    assert "usage: llm-sidecar models" in err
    assert message in err


@on_a_terminal
def test_a_download_on_a_terminal_has_a_bar(commands: Commands, hub: Hub) -> None:
    hub.pause = HALF
    with commands.terminal("download", *REPO) as terminal:
        terminal.wait_for("\r\x1b[2Kfetching  ━━━━━━━━────────   50 %      0.5 of 1.0 MiB")
        hub.gate.open()
        assert terminal.leave() == 0
        assert max(len(line) for line in terminal.lines if line.startswith("fetching")) < 80
        assert f"\r\x1b[2K{ID} is here: 1.0 MiB\n" in terminal.shown


@on_a_terminal
def test_ctrl_c_keeps_what_came_and_the_same_command_goes_on_from_there(commands: Commands, hub: Hub) -> None:
    hub.pause = HALF
    with commands.terminal("download", *REPO) as terminal:
        terminal.wait_for("50 %      0.5 of 1.0 MiB")
        terminal.interrupt()
        assert terminal.leave() == 130
        assert terminal.lines[-2:] == [
            "Cancelled.",
            "0.5 of 1.0 MiB are here. The same command goes on from there.",
        ]
    assert commands.run("list")[1].splitlines()[-1].startswith(f"{ID}: ")
    hub.pause = None
    assert commands.run("download", *REPO, f"--sha256={DIGEST}")[0] == 0
    assert commands.hub.requests[-1].headers["range"] == f"bytes={HALF}-"


@on_a_terminal
def test_a_download_that_was_cancelled_is_an_error_in_json(commands: Commands, hub: Hub) -> None:
    hub.pause = HALF
    with commands.terminal("download", *REPO, "--json") as terminal:
        terminal.wait_for("50 %      0.5 of 1.0 MiB")
        terminal.interrupt()
        assert terminal.leave() == 130
        error = next(json.loads(line) for line in terminal.lines if line.startswith("{"))
        assert error["error"]["data"]["type"] == "request_cancelled"


@on_a_terminal
@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, False), ("\n", 1, True), ("\x04", 1, True)])
def test_deleting_asks_first(fetched: Commands, answer: str, code: int, left: bool) -> None:  # noqa: FBT001
    with fetched.terminal("delete", ID) as terminal:
        terminal.wait_for(f"Delete {ID} (1.0 MiB)? [y/N] ")
        terminal.type(answer)
        assert terminal.leave() == code
    assert fetched.file("maker/tiny-GGUF/tiny-Q4.gguf").exists() is left


@on_a_terminal
def test_ctrl_c_at_the_question_deletes_nothing(fetched: Commands) -> None:
    with fetched.terminal("delete", ID) as terminal:
        terminal.wait_for("[y/N] ")
        terminal.interrupt()
        assert terminal.leave() == 130
    assert fetched.file("maker/tiny-GGUF/tiny-Q4.gguf").exists()


def test_the_command_loads_no_server() -> None:
    code = f"import sys, {models.__name__}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"sidecar.app", "sidecar.methods", "sidecar.library", "sidecar.engines", "sqlite3"})

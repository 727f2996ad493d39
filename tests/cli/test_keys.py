"""`llm-sidecar keys` as a process of its own, with a real keychain and a real terminal."""

import contextlib
import getpass
import json
import os
import select
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Self

import pytest
from host import environment
from keychains import SecretService, needs_secret_service, secret_service

from sidecar.cli import keys, unseen, words
from sidecar.cli.keys import parse
from sidecar.schema.credentials import KeychainState

KEYS = [sys.executable, "-m", "sidecar", "keys"]
KEY = "gsk_canary-abcdefgh12345678"
MASKED = "…5678"
PATIENCE_S = 30.0
GROQ = "https://api.groq.com"
NONE = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
ROOT = Path(__file__).parents[2]

on_a_terminal = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals like these")


def run(home: Path, *flags: str, line: bytes = b"", env: dict[str, str] = NONE) -> tuple[int, str, str]:
    done = subprocess.run(
        [*KEYS, *flags, f"--data-dir={home}"],
        env=environment(home, PYTHONUTF8="1", **env),
        input=line,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert KEY not in (done.stdout + done.stderr).decode()
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def real() -> Iterator[SecretService]:
    with secret_service() as service:
        yield service


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, home: Path, *flags: str, env: dict[str, str] = NONE) -> None:
        import fcntl  # not on Windows
        import pty
        import termios

        def own_the_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # what runs in the background has Ctrl-C ignored

        self.end, theirs = pty.openpty()
        self.seen = b""
        self.process = subprocess.Popen(
            [*KEYS, *flags, f"--data-dir={home}"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=own_the_terminal,  # noqa: PLW1509 - getpass asks the controlling terminal
            env=environment(home, PYTHONUTF8="1", TERM="xterm", **env),
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.end)

    def read_until(self, text: bytes) -> None:
        """Read until `text` is on the terminal, or until its other end is closed."""
        while text not in self.seen and self._read():
            pass

    def type(self, keys_: bytes) -> None:
        os.write(self.end, keys_)

    def finish(self) -> tuple[int, str]:
        """Return the exit code, and everything that was on the terminal."""
        while self._read():
            pass
        return self.process.wait(PATIENCE_S), self.seen.decode()

    def _read(self) -> bool:
        assert select.select([self.end], [], [], PATIENCE_S)[0], "the terminal stayed silent"
        data = b""
        with contextlib.suppress(OSError):  # EIO: nobody has the other end any more
            data = os.read(self.end, 1 << 16)
        self.seen += data
        return bool(data)


def test_the_flags_become_a_choice_and_the_flags_of_a_sidecar() -> None:
    options = parse(["set", "groq", "--base-url", "http://[::1]:8080/v1", "--data-dir=/d e", "--app-id=-a", "--json"])
    assert options.choice == {"provider": "groq", "base_url": "http://[::1]:8080/v1"}
    assert options.flags == [keys.PATIENCE, "--data-dir=/d e", "--app-id=-a"]
    assert (options.action, options.app, options.json) == ("set", "-a", True)
    options = parse(["list"])
    assert (options.choice, options.flags, options.app, options.json) == ({}, [keys.PATIENCE], "llm-sidecar", False)


@pytest.mark.parametrize(
    "arguments", [["set", "groq", KEY], ["set", "groq", f"--api-key={KEY}"], ["set", f"--key={KEY}", "groq"]]
)
def test_a_key_on_the_command_line_is_refused_and_not_repeated(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(arguments)
    said = capsys.readouterr().err
    assert (stopped.value.code, KEY in said, keys.KEY_AS_ARGUMENT in said) == (2, False, True)


@pytest.mark.parametrize("arguments", [[], ["set"], ["delete"], ["get", "groq"], ["list", "groq"]])
def test_wrong_usage_exits_with_2(tmp_path: Path, arguments: list[str]) -> None:
    code, out, err = run(tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert "usage: llm-sidecar keys" in err


@pytest.mark.parametrize(
    ("state", "lines"),
    [
        (KeychainState("ok", "fake"), []),
        (KeychainState("unknown"), []),
        (KeychainState("locked", "fake", "Do it."), ["warning: The keychain is locked (fake).", "hint: Do it."]),
        (KeychainState("denied", "fake"), ["warning: The keychain refused access (fake)."]),
        (KeychainState("unavailable"), ["warning: This system has no working keychain."]),
    ],
)
def test_each_state_of_the_keychain_has_its_words(state: KeychainState, lines: list[str]) -> None:
    assert words.keychain(state) == lines


def test_without_a_keychain_nothing_is_kept_and_that_is_said(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, "set", "groq", line=KEY.encode())
    assert (code, out) == (1, "")
    assert [line.split(":")[0] for line in err.splitlines()] == ["error", "hint"]
    assert "This system has no working keychain." in err
    code, out, err = run(tmp_path, "set", "groq", "--json", line=KEY.encode())
    assert (code, err, json.loads(out)["error"]["data"]["type"]) == (1, "", "keyring_unavailable")
    code, out, err = run(tmp_path, "list")
    assert (code, out) == (0, "There are no keys under the name llm-sidecar.\n")
    assert [line.split(":")[0] for line in err.splitlines()] == ["warning", "hint"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "error: No key was given."),
        (b"  \r\n" + KEY.encode(), "error: No key was given."),
        ("gsk_ключ\n".encode(), "error: The API key holds line breaks, or characters beyond ASCII."),
        (b"gsk_\xff\xfe\n", "error: The API key holds line breaks, or characters beyond ASCII."),
        (b"k" * 70_000, "error: The API key is too long."),
    ],
)
def test_what_cannot_be_a_key_is_not_kept(tmp_path: Path, line: bytes, words: str) -> None:
    assert run(tmp_path, "set", "groq", line=line) == (1, "", f"{words}\n")


@needs_secret_service
def test_a_key_is_kept_listed_and_deleted(real: SecretService, tmp_path: Path) -> None:
    real.start("--unlock")
    told = (
        f"The key {MASKED} of groq is kept in Secret Service, under the name llm-sidecar.\n"
        f"It is sent to nobody but:\n  {GROQ}\n"
    )
    assert run(tmp_path, "set", "groq", line=f"{KEY}\r\nsecond line".encode(), env=real.environment) == (0, told, "")
    row = f"provider  key    sent to\ngroq      {MASKED}  {GROQ}\n"
    assert run(tmp_path, "list", env=real.environment) == (0, row, "")
    code, out, err = run(tmp_path, "list", "--json", env=real.environment)
    assert (code, err, json.loads(out)) == (
        0,
        "",
        {
            "credentials": [{"provider": "groq", "has_api_key": True, "origins": [GROQ]}],
            "keychain": {"state": "ok", "backend": "Secret Service"},
        },
    )
    assert run(tmp_path, "delete", "groq", env=real.environment) == (0, "The key of groq is deleted.\n", "")
    again = run(tmp_path, "delete", "groq", env=real.environment)
    assert again == (1, "The key of groq does not exist.\n", "")


@needs_secret_service
def test_each_server_and_each_app_has_its_own_key(real: SecretService, tmp_path: Path) -> None:
    real.start("--unlock")
    here, there = "http://127.0.0.1:8080", "https://ai.example:8443"
    for url, key in ((here, "key-for-here-11111111"), (there, "key-for-there-22222222")):
        code, out, _ = run(
            tmp_path, "set", "openai_compatible", f"--base-url={url}/v1", line=key.encode(), env=real.environment
        )
        assert (code, out.splitlines()[-1]) == (0, f"  {url}")
    _, out, _ = run(tmp_path, "list", env=real.environment)
    assert [line.split()[1:] for line in out.splitlines()[1:]] == [["key-for-…1111", here], ["key-for-…2222", there]]
    assert (
        run(tmp_path, "list", "--app-id=Other", env=real.environment)[1] == "There are no keys under the name Other.\n"
    )
    told = f"The key of openai_compatible for {here}/v1 is deleted.\n"
    assert run(tmp_path, "delete", "openai_compatible", f"--base-url={here}/v1", env=real.environment) == (0, told, "")
    _, out, _ = run(tmp_path, "list", env=real.environment)
    assert [line.split()[2] for line in out.splitlines()[1:]] == [there]


@needs_secret_service
def test_a_locked_keychain_is_told_in_words(real: SecretService, tmp_path: Path) -> None:
    real.start("--unlock", password="open sesame")
    assert run(tmp_path, "set", "groq", line=KEY.encode(), env=real.environment)[0] == 0
    real.stop_daemon()
    real.start()
    hint = "hint: Unlock the system's keychain, and try again.\n"
    row = f"provider  key  sent to\ngroq      ?    {GROQ}\n"
    locked = f"warning: The keychain is locked (Secret Service).\n{hint}"
    assert run(tmp_path, "list", env=real.environment) == (0, row, locked)
    for flags in (("set", "groq"), ("delete", "groq")):
        failed = run(tmp_path, *flags, line=b"gsk_another-key-12345", env=real.environment)
        assert failed == (1, "", f"error: The keychain is locked.\n{hint}")


@needs_secret_service
def test_a_key_that_is_typed_is_not_shown(real: SecretService, tmp_path: Path) -> None:
    real.start("--unlock")
    with Terminal(tmp_path, "set", "groq", env=real.environment) as terminal:
        terminal.read_until(b"API key of groq (not shown): ")
        terminal.type(f"{KEY}\r".encode())
        code, seen = terminal.finish()
    assert (code, KEY in seen) == (0, False)
    assert f"The key {MASKED} of groq is kept in Secret Service" in seen
    assert run(tmp_path, "list", env=real.environment)[1].splitlines()[1].split() == ["groq", MASKED, GROQ]


@needs_secret_service
def test_ctrl_c_ends_the_wait_for_the_keychains_dialog(real: SecretService, tmp_path: Path) -> None:
    from prompter import Prompter  # Linux's alone

    real.start("--unlock", password="open sesame")
    assert run(tmp_path, "set", "groq", line=KEY.encode(), env=real.environment)[0] == 0
    real.lock()
    with (
        Prompter(real.address, "leave") as person,
        Terminal(tmp_path, "delete", "groq", env=real.environment) as terminal,
    ):
        assert person.asked.wait(PATIENCE_S)
        terminal.type(b"\x03")
        code, seen = terminal.finish()
    assert (code, "asking the keychain" in seen, "Traceback" in seen) == (130, True, False)


@on_a_terminal
@pytest.mark.parametrize("typed", [b"\x04", b"\r"])
def test_nothing_typed_is_no_key(tmp_path: Path, typed: bytes) -> None:
    with Terminal(tmp_path, "set", "groq") as terminal:
        terminal.read_until(b"(not shown): ")
        terminal.type(typed)
        code, seen = terminal.finish()
    assert (code, "No key was given." in seen) == (1, True)


@on_a_terminal
def test_ctrl_c_leaves_the_question(tmp_path: Path) -> None:
    with Terminal(tmp_path, "set", "groq") as terminal:
        terminal.read_until(b"(not shown): ")
        terminal.type(KEY.encode() + b"\x03")
        code, seen = terminal.finish()
    assert (code, KEY in seen, "Traceback" in seen) == (130, False, False)


def test_a_terminal_that_would_show_the_key_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def fallback(prompt: str) -> str:
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        raise AssertionError(prompt)

    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(getpass, "getpass", fallback)
    with pytest.raises(unseen.NothingRead, match="would show the key"):
        unseen.read("Key: ")


def test_the_command_loads_no_server() -> None:
    code = f"import sys, {keys.__name__}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint({"sidecar.app", "sidecar.methods", "sidecar.credentials", "keyring"})

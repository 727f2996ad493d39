"""Plays a transcript of `protocol/conformance/` against a sidecar process; its README tells what the steps mean."""

import base64
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from patterns import Bound, Mismatch, expand, match, matches
from witness import Witness

ROOT = Path(__file__).parents[1]
TRANSCRIPTS = sorted((ROOT / "protocol" / "conformance").glob("*.jsonl"))
STEP_SECONDS = 10.0
KEPT_ENVIRONMENT = ("PATH", "SYSTEMROOT", "PYTHONPATH")
NO_KEYCHAIN = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def load(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the header and the steps of a transcript."""
    header, *steps = (json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip())
    return header, steps


class SidecarProcess:
    """A sidecar on real pipes, alone in a home of its own, without a keychain."""

    def __init__(self, arguments: list[str], home: Path) -> None:
        self.deadline = time.monotonic() + STEP_SECONDS
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._reading = threading.Event()
        self._reading.set()
        kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sidecar", "--data-dir", str(home / "data"), *arguments],
            cwd=ROOT,
            env=kept | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home)} | NO_KEYCHAIN,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.log = b""
        threading.Thread(target=self._read, daemon=True).start()
        self._log_reader = threading.Thread(target=self._read_log, daemon=True)
        self._log_reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        self._reading.set()
        self._log_reader.join()
        for pipe in (self.process.stdin, self.process.stderr):
            assert pipe is not None
            pipe.close()
        if error is not None and self.log:
            error.add_note(f"The sidecar's log:\n{self.log.decode(errors='replace')[-4000:]}")

    def _read(self) -> None:
        assert self.process.stdout is not None
        rest = b""
        with self.process.stdout as pipe:
            while self._reading.wait() and (data := os.read(pipe.fileno(), 1 << 16)):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._lines.put(line)
        if rest:
            self._lines.put(rest + b"\x00the last line has no line feed")
        self._lines.put(None)

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        while data := self.process.stderr.read(1 << 16):
            self.log += data

    def write(self, data: bytes) -> None:
        """Write all of `data`; a sidecar that does not take it in time is killed.

        One that has gone takes nothing: the steps that follow tell whether it should have.
        """
        assert self.process.stdin is not None
        watchdog = threading.Timer(max(0, self.deadline - time.monotonic()), self.process.kill)
        watchdog.start()
        try:
            view = memoryview(data)
            while view:
                view = view[self.process.stdin.write(view) :]
        except BrokenPipeError:
            return
        finally:
            watchdog.cancel()

    def read_line(self) -> bytes | None:
        """Return the next line, or None at the end of the output."""
        try:
            line = self._lines.get(timeout=max(0.0, self.deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError(f"nothing came within {STEP_SECONDS:.0f} s") from None
        if line is None:
            self._lines.put(None)
        return line

    def stop_reading(self) -> None:
        self._reading.clear()

    def resume_reading(self) -> None:
        self._reading.set()

    def close_stdin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def exit_code(self) -> int:
        """Wait for the exit and return its code, as a shell would name it."""
        code = self.process.wait(max(0, self.deadline - time.monotonic()))
        return code if code >= 0 else 128 - code


class Conversation:
    """Plays steps, one after the other."""

    def __init__(self, process: SidecarProcess) -> None:
        self.witness = Witness()
        self.bound: Bound = {}
        self.exited = False
        self.skipped: Any = None
        self._process = process
        self._helpers: dict[str, subprocess.Popen[bytes]] = {}
        self._listeners: list[socket.socket] = []
        self._pings = 0

    def play(self, step: dict[str, Any]) -> None:
        """Do what the step says, within the deadline."""
        self._process.deadline = time.monotonic() + STEP_SECONDS
        ((verb, argument),) = step.items()
        getattr(self, f"do_{verb}")(argument)

    def finish(self) -> None:
        """End the session the way a host does, unless the transcript did, and require that all was answered."""
        if not self.exited:
            self.play({"close_stdin": True})
            while (line := self._process.read_line()) is not None:
                self.witness.received(line)
            self.play({"expect_exit": 0})

    def close(self) -> None:
        """Free what steps have made."""
        for helper in self._helpers.values():
            helper.kill()
            helper.communicate()
        for listener in self._listeners:
            listener.close()

    def receive(self) -> Any:
        """Return the next message."""
        line = self._process.read_line()
        if line is None:
            raise Mismatch("the output ended")
        return self.witness.received(line)

    def do_send(self, message: Any) -> None:
        text = json.dumps(expand(message, self.bound), separators=(",", ":"), ensure_ascii=False)
        self._write(text.encode() + b"\n")

    def do_send_raw(self, text: Any) -> None:
        pieces = expand(text, self.bound)
        self._write("".join(pieces if isinstance(pieces, list) else [pieces]).encode())

    def do_send_base64(self, text: str) -> None:
        self._write(base64.b64decode(text))

    def do_recv(self, pattern: Any) -> None:
        match(pattern, self.receive(), self.bound)

    def do_recv_until(self, pattern: Any) -> None:
        while not matches(pattern, message := self.receive(), self.bound):
            self.skipped = message
            assert time.monotonic() < self._process.deadline, f"still coming: {message}"

    def do_recv_unordered(self, patterns: list[Any]) -> None:
        missing = list(patterns)
        while missing:
            message = self.receive()
            found = next((pattern for pattern in missing if matches(pattern, message, self.bound)), None)
            if found is None:
                raise Mismatch(f"none of {json.dumps(missing)} matches {json.dumps(message)}")
            missing.remove(found)

    def do_silence(self, _: bool) -> None:  # noqa: FBT001 - the step's argument
        self._pings += 1
        id_ = f"silence-{self._pings}"
        self.do_send({"jsonrpc": "2.0", "id": id_, "method": "server.ping"})
        self.do_recv({"id": id_})

    def do_stop_reading(self, _: bool) -> None:  # noqa: FBT001 - the step's argument
        self._process.stop_reading()

    def do_resume_reading(self, _: bool) -> None:  # noqa: FBT001 - the step's argument
        self._process.resume_reading()

    def do_idle_ms(self, duration: int) -> None:
        time.sleep(duration / 1000)

    def do_close_stdin(self, _: bool) -> None:  # noqa: FBT001 - the step's argument
        self.witness.ended()
        self._process.close_stdin()

    def do_signal(self, name: str) -> None:
        self._process.process.send_signal(getattr(signal, name))

    def do_listen(self, name: str) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self._listeners.append(listener)
        self.bound[name] = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    def do_spawn(self, name: str) -> None:
        helper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self._helpers[name] = helper
        self.bound[name] = helper.pid

    def do_kill(self, name: str) -> None:
        self._helpers[name].kill()
        self._helpers[name].communicate()

    def do_expect_exit(self, code: int) -> None:
        self.exited = True
        found = self._process.exit_code()
        assert found == code, f"exit code {found}, expected {code}"
        self._process.resume_reading()
        if code == HOST_STOPPED_READING:
            return
        line = self._process.read_line()
        assert line is None, f"unexpected at the end: {line!r}"
        self.witness.all_answered()

    def _write(self, data: bytes) -> None:
        self.witness.sent(data)
        self._process.write(data)


HOST_STOPPED_READING = 3


@contextmanager
def conversation(arguments: list[str], home: Path) -> Iterator[Conversation]:
    """Yield a conversation with a new sidecar; when the block ends, so does the session."""
    with SidecarProcess(arguments, home) as process:
        talk = Conversation(process)
        try:
            yield talk
            talk.finish()
        finally:
            talk.close()


def run(path: Path, home: Path) -> Witness:
    """Play a transcript and return who saw it."""
    header, steps = load(path)
    with conversation(header.get("args", []), home) as talk:
        for number, step in enumerate(steps, start=2):
            try:
                talk.play(step)
            except Exception as error:
                error.add_note(f"{path.name}:{number}: {json.dumps(step)[:500]}")
                error.add_note(f"skipped last: {json.dumps(talk.skipped)[:2000]}")
                raise
    return talk.witness

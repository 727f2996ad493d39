"""A host: spawns the real sidecar over real pipes, and sees what a host sees."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parent.parent
PATIENCE_S = 30.0
"""How long a test waits for what must happen; far above what it takes."""


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Return an environment without keychain, keys or settings of the machine."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "VIRTUAL_ENV") if name in os.environ}
    return kept | {"HOME": str(home), "PYTHONPATH": str(ROOT)} | extra


def command(*flags: str) -> list[str]:
    return [sys.executable, "-m", "sidecar", *flags]


class Host:
    """One sidecar and its pipes."""

    def __init__(self, home: Path, *flags: str, env: dict[str, str] | None = None, **popen: Any) -> None:
        self.process = subprocess.Popen(
            command("--data-dir", str(home / "data"), *flags),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=popen.pop("stderr", subprocess.PIPE),
            env=environment(home, **(env or {})),
            **popen,
        )
        self.buffer = b""
        self.ids = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                try:
                    pipe.close()
                except OSError:
                    continue

    def write(self, data: bytes) -> None:
        assert self.process.stdin
        view = memoryview(data)
        while view:
            view = view[os.write(self.process.stdin.fileno(), view) :]

    def send(self, method: str, params: Any = None, id_: Any = None) -> Any:
        """Send a request and return its id."""
        self.ids += 1
        id_ = self.ids if id_ is None else id_
        self.write(json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params or {}}).encode() + b"\n")
        return id_

    def receive(self, patience: float = PATIENCE_S) -> Any:
        """Return the next message, or None at the end of output."""
        return json.loads(line) if (line := self.receive_line(patience)) else None

    def receive_line(self, patience: float = PATIENCE_S) -> bytes:
        assert self.process.stdout
        end = time.monotonic() + patience
        pieces = [self.buffer]
        while b"\n" not in pieces[-1]:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the sidecar said nothing in time"
            data = os.read(self.process.stdout.fileno(), 1 << 20)
            if not data:
                assert not b"".join(pieces), "the last line has no end"
                return b""
            pieces.append(data)
        line, _, self.buffer = b"".join(pieces).partition(b"\n")
        return line

    def reply(self, id_: Any, seen: list[Any] | None = None) -> Any:
        """Return the reply to `id_`; what comes before it is put into `seen`."""
        while (message := self.receive()) is not None:
            if message.get("id") == id_ and "method" not in message:
                return message
            if seen is not None:
                seen.append(message)
        raise AssertionError("the sidecar ended without a reply")

    def call(self, method: str, params: Any = None) -> Any:
        """Return the result of a method, which must succeed."""
        reply = self.reply(self.send(method, params))
        assert "result" in reply, reply
        return reply["result"]

    def fail(self, method: str, params: Any = None) -> Any:
        """Return the error of a method, which must fail."""
        reply = self.reply(self.send(method, params))
        assert "error" in reply, reply
        return reply["error"]

    def initialize(self) -> Any:
        return self.call("initialize", {"protocol_version": 1, "client_info": {"name": "tests"}})

    def end(self) -> int:
        """Close stdin and return the exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(PATIENCE_S)


@contextmanager
def session(home: Path, *flags: str, **options: Any) -> Iterator[Host]:
    """An open session; its sidecar must end cleanly."""
    with Host(home, *flags, **options) as host:
        host.initialize()
        yield host
        assert host.end() == 0


def script(*steps: Any, **request: Any) -> dict[str, Any]:
    """Return the params of a chat call that plays `steps`."""
    return {
        "provider": "scripted",
        "model": "script-1",
        "messages": [{"role": "user", "content": "hi"}],
        "provider_options": {"scripted": {"steps": list(steps)}},
        **request,
    }


def gone(pid: int, within: float) -> bool:
    """Return whether a process ends in time; a zombie has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ready, _, _ = select.select([handle], [], [], within)
    os.close(handle)
    return bool(ready)

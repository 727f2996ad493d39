"""A command on a terminal of its own, which is 80 columns wide."""

import contextlib
import os
import select
import signal
import subprocess
import time
from types import TracebackType
from typing import Self

PATIENCE_S = 30.0
SIZE = (24, 80)


class Terminal:
    """`shown` is what has been written so far; `lines` are what a person saw in turn, each kept or overwritten."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        import fcntl  # not on Windows
        import pty
        import struct
        import termios

        self._end, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=env | {"TERM": "xterm", "NO_COLOR": "1"},
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._end)

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            assert self._read(end), f"{text!r} is not in {self.shown!r}"

    def type(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def interrupt(self) -> None:
        """Do what Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    def leave(self) -> int:
        """Return the exit code, everything being read."""
        end = time.monotonic() + PATIENCE_S
        while self._read(end):
            pass
        return self._process.wait(PATIENCE_S)

    @property
    def lines(self) -> list[str]:
        return [line for line in self.shown.replace("\r\x1b[2K", "\n").split("\n") if line]

    def _read(self, end: float) -> bool:
        ready, _, _ = select.select([self._end], [], [], max(0.0, end - time.monotonic()))
        assert ready, f"the terminal stayed silent after {self.shown!r}"
        data = b""
        with contextlib.suppress(OSError):  # EIO: nobody has the other end any more
            data = os.read(self._end, 1 << 16)
        self.shown += data.decode().replace("\r\n", "\n")
        return bool(data)

"""A process whose output is taken line by line as it arrives, in the turn of the loop that reads it.

https://docs.python.org/3/library/asyncio-protocol.html#subprocess-protocols
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, cast

STDIN: Final = 0
STDOUT: Final = 1
STDERR: Final = 2

LONGEST: Final = {STDOUT: 64 << 20, STDERR: 4096}
"""How much of a line is kept until the rest of it comes: more than any report has, and enough of a log."""

Take = Callable[[bytes], None]


class Child(asyncio.SubprocessProtocol):
    """A process of which `silent` tells that it says no more, and `exited` that it has been reaped."""

    def __init__(self, report: Take, note: Take) -> None:
        self.silent = {STDOUT: asyncio.Event(), STDERR: asyncio.Event()}
        self.exited = asyncio.Event()
        self._take = {STDOUT: report, STDERR: note}
        self._rest = {STDOUT: b"", STDERR: b""}

    async def spawn(self, argv: Sequence[str]) -> None:
        """Start the process; raises `OSError`."""
        await asyncio.get_running_loop().subprocess_exec(lambda: self, *argv)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be told of the pipes."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    @property
    def pid(self) -> int:
        return self._transport.get_pid()

    @property
    def returncode(self) -> int | None:
        return self._transport.get_returncode()

    def write(self, data: bytes) -> None:
        """Write to its stdin what it will read when it can; nothing happens where it does not any more."""
        pipe = cast("asyncio.WriteTransport | None", self._transport.get_pipe_transport(STDIN))
        if pipe is not None and not pipe.is_closing():
            pipe.write(data)

    def kill(self) -> None:
        """End it, if it has not ended."""
        with suppress(ProcessLookupError):
            self._transport.kill()

    async def end(self) -> None:
        """End it, and wait until it is gone."""
        self.kill()
        await self.exited.wait()
        self._transport.close()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take the lines that are whole."""
        *lines, rest = (self._rest[fd] + data).split(b"\n")
        self._rest[fd] = rest[: LONGEST[fd]]
        for line in lines:
            self._take[fd](line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Take what is left of the log; half a report is none."""
        del exc
        if fd == STDERR and self._rest[fd]:
            self._take[fd](self._rest[fd])
        if fd in self.silent:
            self.silent[fd].set()

    def process_exited(self) -> None:
        """Be told that the process has been reaped."""
        self.exited.set()

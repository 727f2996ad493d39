"""One process of the sidecar, from its start until it has gone."""

import math
import os
from collections.abc import Awaitable, Callable
from typing import Final

import anyio
from anyio.abc import ByteReceiveStream, Process

from llm_sidecar import errors, executable
from llm_sidecar.lines import CutLines, Lines, LineTooLong
from llm_sidecar.options import Options
from llm_sidecar.platforms import SPAWN, Group
from llm_sidecar.sessions import Session

READ_BYTES: Final = 1 << 16
LOG_LINE_BYTES: Final = 1 << 16
KILL_GRACE: Final = 2.0
"""How long what was terminated may take before it is killed, and what was killed before it is given up."""
LOG_GRACE: Final = 0.5
"""How long stderr may stay open when all else has ended. All in seconds."""
GONE: Final = (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError)
"""What writing to a process that has gone raises; whoever reads its stdout learns of it."""


class Child:
    """A process with its pipes. `run` it in a task; it ends when the process has gone, which it sees to."""

    def __init__(self, process: Process, options: Options) -> None:
        self._process = process
        self._options = options
        self._group = Group(process.pid)
        self._outbox, self._outgoing = anyio.create_memory_object_stream[bytes](math.inf)
        self._leaving = anyio.Event()
        self._said_all = anyio.Event()
        self._logged_all = anyio.Event()
        self.ready: float | None = None
        """When the handshake was done, on the clock of the event loop."""
        self.session: Final = Session(self._send, options.on_log)
        self.gone: Final = anyio.Event()

    @classmethod
    async def spawn(cls, options: Options) -> "Child":
        """Start the process; raise `sidecar_not_found` where that is impossible."""
        command = [executable.find(options.command), *options.args]
        environment = {**os.environ, **options.env}
        child: Child | None = None
        # Nobody would own a process whose start was cancelled half-way.
        with anyio.CancelScope(shield=True):
            try:
                child = cls(await anyio.open_process(command, env=environment, cwd=options.cwd, **SPAWN), options)
            except OSError as error:
                raise errors.NOT_FOUND.error(str(error)) from error
        assert child
        return child

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def run(self, on_end: Callable[[], None]) -> None:
        """Read and write until the process has gone; `on_end` is called when it has said all it will say."""
        with anyio.CancelScope(shield=True):
            try:
                async with anyio.create_task_group() as tasks:
                    for task in (self._write, self._read_log, self._notice_exit):
                        tasks.start_soon(task)
                    tasks.start_soon(self._read, on_end)
                    await self._see_off()
                    tasks.cancel_scope.cancel()
            finally:
                await self._clean_up()

    def stop(self) -> None:
        """Ask the process to end, and see that it does."""
        self.session.shut_down()
        self._outbox.close()
        self._leaving.set()

    def kill(self) -> None:
        """End the process at once, with its group."""
        self._group.kill()
        self._leaving.set()

    def _send(self, line: bytes) -> None:
        try:
            self._outbox.send_nowait(line)
        except GONE:
            return

    async def _write(self) -> None:
        assert self._process.stdin
        with self._outgoing:
            try:
                async for line in self._outgoing:
                    await self._process.stdin.send(line)
                await self._process.stdin.aclose()
            except GONE:
                return

    async def _read(self, on_end: Callable[[], None]) -> None:
        lines = Lines(self._options.max_line_bytes)

        def take(data: bytes) -> None:
            for line in lines.feed(data):
                self.session.receive(line)

        try:
            await _each_piece(self._process.stdout, take)
        except LineTooLong:
            self._options.on_log(f"A line is longer than {self._options.max_line_bytes} bytes.")
            self.kill()
        finally:
            self.session.end()
            on_end()
            self._said_all.set()
            self._outbox.close()
            self._leaving.set()

    async def _read_log(self) -> None:
        lines = CutLines(LOG_LINE_BYTES)

        def take(data: bytes) -> None:
            for line in lines.feed(data):
                self._options.on_log(line)

        await _each_piece(self._process.stderr, take)
        for line in lines.end():
            self._options.on_log(line)
        self._logged_all.set()

    async def _notice_exit(self) -> None:
        await self._process.wait()
        self._leaving.set()

    async def _see_off(self) -> None:
        """Wait until the process leaves, and let it take no longer than it may."""
        await self._leaving.wait()
        for grace, then in (
            (self._options.stop_grace, self._group.terminate),
            (KILL_GRACE, self._group.kill),
            (KILL_GRACE, self._outbox.close),
        ):
            if await _within(grace, self._ended):
                break
            then()
        await _within(LOG_GRACE, self._logged_all.wait)

    async def _ended(self) -> None:
        await self._process.wait()
        await self._said_all.wait()

    async def _clean_up(self) -> None:
        self._outbox.close()
        self._outgoing.close()
        self._group.kill()  # a sidecar that ended by itself may have left something
        await self._process.aclose()
        self._group.close()
        self.gone.set()


async def _each_piece(stream: ByteReceiveStream | None, take: Callable[[bytes], None]) -> None:
    assert stream
    try:
        while True:
            take(await stream.receive(READ_BYTES))
    except (anyio.EndOfStream, *GONE):
        return


async def _within(seconds: float, wait: Callable[[], Awaitable[object]]) -> bool:
    with anyio.move_on_after(seconds):
        await wait()
        return True
    return False

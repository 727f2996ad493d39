"""A worker process, seen from the engine: its pipes, its log, its end."""

import asyncio
import logging
import os
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import anyio
from msgspec import DecodeError

from sidecar.engines.llama import faults, protocol
from sidecar.engines.llama.child import STDERR, STDOUT, Child
from sidecar.engines.llama.protocol import Command, Report
from sidecar.schema.errors import SidecarError

EXIT_S: Final = 1.0
LOG_LINES: Final = 50
LOG_LINE_BYTES: Final = 2_000

_logger: Final = logging.getLogger("sidecar.llama")


def command() -> list[str]:
    """Return the command that starts a worker: this same program, with a flag."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--worker"]
    return [sys.executable, "-m", "sidecar", "--worker"]


class Exchange:
    """One command and the reports that answer it, for one reader at a time.

    `finished` tells that the worker has nothing to do for it, `answered` that it said so itself.
    """

    def __init__(self, worker: "Worker", exchange_id: int) -> None:
        self.id = exchange_id
        self.finished = True
        self.answered = False
        self._worker = worker
        self._reports: deque[Report] = deque()  # an answer is bounded by its context, vectors by their texts
        self._news = asyncio.Event()
        self._ended = False

    def take(self, report: Report) -> None:
        """Have a report read."""
        self._reports.append(report)
        self._news.set()

    def end(self) -> None:
        """Have it known that no more reports will come."""
        self._ended = True
        self._news.set()

    async def next(self) -> Report:
        """Return the next report; raises `SidecarError` for a `Failed`, or when the worker has ended."""
        while not self._reports:
            if self._ended:
                self.finished = True
                raise self._worker.fault()
            self._news.clear()
            await self._news.wait()
        report = self._reports.popleft()
        self.finished = self.answered = not isinstance(report, protocol.MORE)
        if isinstance(report, protocol.Failed):
            raise SidecarError(report.error, report.message, hint=report.hint, param=report.param)
        return report

    def send(self, message: Command) -> None:
        """Send this exchange's command, or its cancellation."""
        line = protocol.encode(message) + b"\n"
        self.finished = False
        self._worker.write(line)

    async def last(self) -> Report:
        """Return the last report, passing over the others."""
        while True:
            report = await self.next()
            if self.finished:
                return report

    def close(self) -> None:
        """Forget what may still be reported."""
        self._worker.exchanges.pop(self.id, None)
        self._reports.clear()


class Worker:
    """A worker process. `run` owns it until it has ended and been reaped; whoever waits for a report is told then.

    `verdict` is what they are told when the engine ends the worker, `log` its last lines on stderr, and `crashed` tells
    that it ended by itself.
    """

    def __init__(self) -> None:
        self.exchanges: dict[int, Exchange] = {}
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.ended = anyio.Event()
        self.verdict: SidecarError | None = None
        self.crashed = False
        self._child = Child(self._report, self._note)
        self._count = 0

    @classmethod
    async def spawn(cls, argv: Sequence[str]) -> "Worker":
        """Start a worker, to be `run` without delay; raises `SidecarError("engine_unavailable")` when that fails."""
        worker = cls()
        try:
            # Cancelled half-way, this may leave a process behind.
            with anyio.CancelScope(shield=True):
                # PDEATHSIG goes off when the thread that spawned ends, so this must be the main thread.
                await worker._child.spawn([*argv, "--parent-pid", str(os.getpid())])
        except OSError as error:
            message = f"The local engine's process could not be started: {error.strerror}."
            raise SidecarError("engine_unavailable", message) from None
        return worker

    @property
    def pid(self) -> int:
        return self._child.pid

    def open(self) -> Exchange:
        """Return a new exchange; its id goes into the command that is sent."""
        self._count += 1
        exchange = Exchange(self, self._count)
        if self.ended.is_set():
            exchange.end()
        else:
            self.exchanges[exchange.id] = exchange
        return exchange

    def write(self, line: bytes) -> None:
        """Write a command; to a dead worker it goes nowhere."""
        self._child.write(line)

    def fault(self) -> SidecarError:
        """Return why there will be no more reports."""
        if told := self.verdict:
            return SidecarError(told.type, told.message, **told.details)
        return faults.crash(self._child.returncode, self.log)

    def resident_bytes(self) -> int | None:
        """Return how much memory the process has, where the system tells."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_bytes().split()[1]
        except (OSError, IndexError):
            return None
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    async def run(self) -> None:
        """Stay until the process has ended, and all that it said is passed on; kills it when cancelled."""
        child = self._child
        try:
            await child.silent[STDOUT].wait()
            with anyio.move_on_after(EXIT_S):
                await child.exited.wait()
            self.crashed = child.returncode != 0
            child.kill()
            with anyio.move_on_after(EXIT_S):
                await child.silent[STDERR].wait()
        finally:
            with anyio.CancelScope(shield=True):
                await child.end()
                self._end()

    def _end(self) -> None:
        self.ended.set()
        for exchange in list(self.exchanges.values()):
            exchange.end()

    def _report(self, line: bytes) -> None:
        try:
            report = protocol.decode_report(line)
        except DecodeError:
            _logger.warning("a worker wrote what is not a report, and is ended")
            self._child.kill()
            return
        if exchange := self.exchanges.get(report.id):
            exchange.take(report)

    def _note(self, line: bytes) -> None:
        if text := line[:LOG_LINE_BYTES].decode("utf-8", "replace").strip():
            self.log.append(text)
            _logger.debug("%s", text)

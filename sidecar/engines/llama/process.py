"""A worker process, seen from the engine: its pipes, its log, its end."""

import logging
import math
import os
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import ByteReceiveStream, Process
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from msgspec import DecodeError

from sidecar.engines.llama import faults, protocol
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
    """One command and the reports that answer it. `finished` tells that the worker has nothing to do for it."""

    def __init__(self, worker: "Worker", exchange_id: int) -> None:
        self.id = exchange_id
        self.finished = True
        self._worker = worker
        self.sender, self._reports = _channel()

    async def next(self) -> Report:
        """Return the next report; raises `SidecarError` for a `Failed`, or when the worker has ended."""
        try:
            report = await self._reports.receive()
        except anyio.EndOfStream:
            self.finished = True
            raise self._worker.fault() from None
        self.finished = not isinstance(report, protocol.MORE)
        if isinstance(report, protocol.Failed):
            raise SidecarError(report.error, report.message, hint=report.hint, param=report.param)
        return report

    async def send(self, message: Command) -> None:
        """Send this exchange's command, or its cancellation."""
        self.finished = False
        await self._worker.send(message)

    async def last(self) -> Report:
        """Return the last report, passing over the others."""
        while True:
            report = await self.next()
            if self.finished:
                return report

    def close(self) -> None:
        """Forget what may still be reported."""
        self._worker.exchanges.pop(self.id, None)
        self.sender.close()
        self._reports.close()


def _channel() -> tuple[MemoryObjectSendStream[Report], MemoryObjectReceiveStream[Report]]:
    # An answer is bounded by the model's context, vectors by their texts, so the reports are too.
    return anyio.create_memory_object_stream[Report](math.inf)


class Worker:
    """A worker process. `run` owns it until it has ended and been reaped; whoever waits for a report is told then.

    `verdict` is what they are told when the engine ends the worker, `log` its last lines on stderr.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self.exchanges: dict[int, Exchange] = {}
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.ended = anyio.Event()
        self.verdict: SidecarError | None = None
        self._count = 0

    @classmethod
    async def spawn(cls, argv: Sequence[str]) -> "Worker":
        """Start a worker, to be `run` without delay; raises `SidecarError("engine_unavailable")` when that fails."""
        process: Process | None = None
        try:
            # A cancelled `open_process` may leave a process behind.
            with anyio.CancelScope(shield=True):
                # PDEATHSIG goes off when the thread that spawned ends, so this must be the main thread.
                process = await anyio.open_process([*argv, "--parent-pid", str(os.getpid())])
        except OSError as error:
            message = f"The local engine's process could not be started: {error.strerror}."
            raise SidecarError("engine_unavailable", message) from None
        assert process is not None
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def open(self) -> Exchange:
        """Return a new exchange; its id goes into the command that is sent."""
        self._count += 1
        exchange = Exchange(self, self._count)
        if self.ended.is_set():
            exchange.sender.close()
        else:
            self.exchanges[exchange.id] = exchange
        return exchange

    async def send(self, message: Command) -> None:
        """Send a command, whole also when the sending task is cancelled; to a dead worker it goes nowhere."""
        assert self._process.stdin is not None
        try:
            await self._process.stdin.send(protocol.encode(message) + b"\n")
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            return

    def fault(self) -> SidecarError:
        """Return why there will be no more reports."""
        if told := self.verdict:
            return SidecarError(told.type, told.message, **told.details)
        return faults.crash(self._process.returncode, self.log)

    def _kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    def resident_bytes(self) -> int | None:
        """Return how much memory the process has, where the system tells."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_bytes().split()[1]
        except (OSError, IndexError):
            return None
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    async def run(self) -> None:
        """Pass on reports and log lines until the process has ended; kills it when cancelled."""
        process = self._process
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._read_log, process.stderr)
                try:
                    await self._read_reports(process.stdout)
                except DecodeError:
                    _logger.warning("a worker wrote what is not a report, and is ended")
                    self._kill()
                with anyio.move_on_after(EXIT_S):
                    await process.wait()
                self._kill()
                tasks.cancel_scope.deadline = anyio.current_time() + EXIT_S
        finally:
            self._kill()
            with anyio.CancelScope(shield=True):
                await process.aclose()
                self._end()

    def _end(self) -> None:
        self.ended.set()
        for exchange in list(self.exchanges.values()):
            exchange.sender.close()

    async def _read_reports(self, stdout: ByteReceiveStream) -> None:
        rest = b""
        while piece := await _receive(stdout):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._pass_on(protocol.decode_report(line))

    def _pass_on(self, report: Report) -> None:
        if exchange := self.exchanges.get(report.id):
            exchange.sender.send_nowait(report)

    async def _read_log(self, stderr: ByteReceiveStream) -> None:
        rest = b""
        while piece := await _receive(stderr):
            *lines, rest = (rest + piece).split(b"\n")
            rest = rest[:LOG_LINE_BYTES]
            for line in lines:
                self._note(line)
        self._note(rest)

    def _note(self, line: bytes) -> None:
        if text := line[:LOG_LINE_BYTES].decode("utf-8", "replace").strip():
            self.log.append(text)
            _logger.debug("%s", text)


async def _receive(stream: ByteReceiveStream) -> bytes:
    """Return the next bytes, or nothing at the end."""
    try:
        return await stream.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        return b""

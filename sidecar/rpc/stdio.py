"""The pipes: a thread that reads, a writer that joins what has piled up, and bounds on both."""

import asyncio
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Final

from msgspec import Struct

from sidecar.concurrency import move_on_after
from sidecar.rpc import messages
from sidecar.rpc.lines import LineSplitter, Oversized
from sidecar.rpc.messages import Notification
from sidecar.schema.session import Limits

READ_BYTES: Final = 1 << 20
WRITE_BYTES: Final = 1 << 16
DIRECT_BYTES: Final = getattr(select, "PIPE_BUF", 512)
"""A pipe that is ready for writing takes this much without blocking (POSIX)."""
LINES_PER_TURN: Final = 256
GLANCES: Final = 4
"""How often a host that takes nothing is looked at before it is given up."""
F_SETPIPE_SZ: Final = 1031  # Linux, <fcntl.h>


class Inbox:
    """Hands the lines of a pipe to `receive`, on the loop, in order; then calls `ended`.

    A daemon thread reads with plain `os.read`: nothing else can be abandoned at exit without hanging the interpreter.
    """

    def __init__(self, descriptor: int, limits: Limits, receive: Callable[[bytes | Oversized], None]) -> None:
        self._descriptor = descriptor
        self._ahead_limit = limits.stdin_ahead_bytes
        self._receive = receive
        self._splitter = LineSplitter(limits.max_message_bytes)
        self._ahead = 0
        self._room = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._lines: Iterator[bytes | Oversized] | None = None
        self._current = 0
        self._busy = False

    def start(self, ended: Callable[[], None]) -> None:
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        _widen(self._descriptor)
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    def _read(self) -> None:
        try:
            while data := os.read(self._descriptor, READ_BYTES):
                with self._room:
                    self._room.wait_for(lambda: self._ahead < self._ahead_limit)
                    self._ahead += len(data)
                _tell(self._loop, self._arrived, data)
        except OSError:
            pass  # a broken pipe is an end like any other
        _tell(self._loop, self._arrived, b"")

    def _arrived(self, data: bytes) -> None:
        self._pieces.append(data)
        if not self._busy:
            self._pump()

    def _pump(self) -> None:
        """Handle some lines, then let others run."""
        if self._lines is None:
            self._lines = self._open(self._pieces.popleft())
        batch = list(islice(self._lines, LINES_PER_TURN))
        for line in batch:
            self._receive(line)
        done = len(batch) < LINES_PER_TURN
        if done:
            self._close()
        self._busy = not done or bool(self._pieces)
        if self._busy:
            self._loop.call_soon(self._pump)

    def _open(self, data: bytes) -> Iterator[bytes | Oversized]:
        self._current = len(data)
        return self._splitter.feed(data) if data else self._splitter.close()

    def _close(self) -> None:
        """Make room for another piece; the empty one is the end."""
        self._lines = None
        if self._current == 0:
            self._ended()
            return
        with self._room:
            self._ahead -= self._current
            self._room.notify()


class Outbox:
    """Queues lines and writes them joined.

    `broken` is called once when the host is gone or has not read for too long. While `congested`, those who have a
    choice wait for `room`; `defer` runs a callback that writes, once, when there is room.
    """

    def __init__(self, descriptor: int, limits: Limits, broken: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self.limits = limits
        self._broken = broken
        self._bound = min(limits.hard_output_bytes, limits.max_output_bytes)
        self._loop = asyncio.get_running_loop()
        self._queue: list[bytes] = []
        self._undelivered = 0
        self._deferred: list[Callable[[], None]] = []
        self._ticking = False
        self._changed = asyncio.Event()
        self._accepts = 0
        self._watching = False
        self._dead = False
        self._poll = _poller(descriptor)
        self._thread_busy = False
        self._handed: deque[bytes] = deque()
        self._wake = threading.Semaphore(0)
        self._thread: threading.Thread | None = None

    @property
    def congested(self) -> bool:
        return self._undelivered > self.limits.soft_output_bytes

    def write(self, line: bytes) -> None:
        """Queue a line; never waits, never fails."""
        if self._dead:
            return
        self._queue.append(line)
        self._undelivered += len(line)
        if self._undelivered > self._bound:
            self._over_bound()
        self._schedule()

    def send(self, method: str, params: Struct) -> None:
        """Queue a notification."""
        self.write(messages.encode(Notification(method, params)))

    def defer(self, flush: Callable[[], None]) -> None:
        """Call `flush` at the end of this turn of the loop, or when there is room."""
        self._deferred.append(flush)
        self._schedule()

    async def room(self) -> None:
        """Wait until the host has read enough."""
        while self.congested and not self._dead:
            await self._changed.wait()

    async def drained(self, patience: float) -> bool:
        """Wait until all is delivered; give up when nothing is accepted for `patience` seconds."""
        while self._undelivered and not self._dead:
            async with move_on_after(patience) as scope:
                await self._changed.wait()
            if scope.cancelled_caught:
                return False
        return not self._dead

    @property
    def host_is_gone(self) -> bool:
        """Whether the host's end of the pipe is closed, as far as the system tells."""
        return self._dead or (self._poll is not None and any(e & select.POLLERR for _, e in self._poll.poll(0)))

    def _schedule(self) -> None:
        if not self._ticking:
            self._ticking = True
            self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        self._ticking = False
        if self._deferred and not self.congested:
            deferred, self._deferred = self._deferred, []
            for flush in deferred:
                flush()
            self._ticking = False
        if self._queue and not self._thread_busy:
            data = self._queue[0] if len(self._queue) == 1 else b"".join(self._queue)
            self._queue.clear()
            self._send(data)

    def _send(self, data: bytes) -> None:
        if len(data) <= DIRECT_BYTES and self._writable():
            self._write_now(data)
        else:
            self._hand_over(data)

    def _writable(self) -> bool:
        return self._poll is not None and any(e == select.POLLOUT for _, e in self._poll.poll(0))

    def _write_now(self, data: bytes) -> None:
        try:
            written = os.write(self._descriptor, data)
        except OSError:
            self._die()
            return
        self._accepted(written)
        if written < len(data):
            self._hand_over(data[written:])

    def _hand_over(self, data: bytes) -> None:
        self._thread_busy = True
        self._handed.append(data)
        self._wake.release()
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_blocking, name="stdout", daemon=True)
            self._thread.start()

    def _write_blocking(self) -> None:
        """Write what is handed over, in pieces small enough to see progress by."""
        while self._wake.acquire():
            view = memoryview(self._handed.popleft())
            try:
                while view:
                    written = os.write(self._descriptor, view[:WRITE_BYTES])
                    view = view[written:]
                    _tell(self._loop, self._accepted, written)
            except OSError:
                _tell(self._loop, self._die)
                return
            _tell(self._loop, self._thread_idle)

    def _accepted(self, count: int) -> None:
        self._undelivered -= count
        self._accepts += 1
        self._changed.set()
        self._changed = asyncio.Event()
        if self._deferred:
            self._schedule()

    def _thread_idle(self) -> None:
        self._thread_busy = False
        if self._queue:
            self._schedule()

    def _over_bound(self) -> None:
        if self._undelivered > self.limits.max_output_bytes:
            self._die()
        elif not self._watching:
            self._watching = True
            self._watch(self._accepts, GLANCES)

    def _watch(self, accepts: int, glances: int) -> None:
        """Give the host up when it has accepted nothing since `accepts`, after so many glances more.

        Glances, not a time, since a process that was stopped meanwhile, or slept, has not let its host accept anything.
        """
        if self._undelivered <= self.limits.hard_output_bytes or self._dead:
            self._watching = False
        elif self._accepts == accepts and not glances:
            self._die()
        else:
            left = glances - 1 if self._accepts == accepts else GLANCES - 1
            self._loop.call_later(self.limits.stalled_exit_ms / 1000 / GLANCES, self._watch, self._accepts, left)

    def _die(self) -> None:
        if not self._dead:
            self._dead = True
            self._queue.clear()
            self._changed.set()
            self._broken()


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *arguments: Any) -> None:
    """Run a callback on the loop, from another thread; when the loop has ended, nobody needs to know any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *arguments)


def _poller(descriptor: int) -> "select.poll | None":
    """Return what tells whether a write would block, where the system has it."""
    if not hasattr(select, "poll"):
        return None
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return poll


def _widen(descriptor: int) -> None:
    """Ask for a pipe that holds a large request in few pieces, where that can be had."""
    try:
        import fcntl  # POSIX only

        fcntl.fcntl(descriptor, F_SETPIPE_SZ, READ_BYTES)
    except (ImportError, OSError):
        return

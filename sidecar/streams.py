"""Open streams: what they have to say is merged, numbered and sent when the host has room for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from sidecar.concurrency import CancelScope, move_on_after
from sidecar.deltas import merged
from sidecar.schema.chat import FinishReason, Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import (
    Delta,
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    Status,
    StreamChunk,
    StreamEvent,
    StreamStatus,
    TextDelta,
    ToolCallDelta,
)
from sidecar.schema.session import Limits

CONTENT: Final = frozenset({TextDelta, ReasoningDelta, RefusalDelta, ToolCallDelta, PartDelta})
BUSY_RETRY_MS: Final = 1000
MAX_PENDING: Final = 256
"""Deltas that are held back for merging within one turn of the loop."""


class Outlet(Protocol):
    """Where notifications go."""

    @property
    def congested(self) -> bool: ...
    def send(self, method: str, params: Struct) -> None: ...
    def defer(self, flush: Callable[[], None]) -> None: ...
    async def room(self) -> None: ...


class Answer:
    """One answer in progress. By itself it tells the host nothing; `cancelled` says how it ended."""

    def __init__(self) -> None:
        self.scope = CancelScope()
        self.first_ns: int | None = None
        self.cancelled = False

    def cancel(self) -> None:
        """End the answer; what has come of it is its result."""
        self.scope.cancel()

    def report(self, status: Status) -> None:
        """Take note of a status."""

    def emit(self, event: StreamEvent) -> Awaitable[None] | None:
        """Take an event of the answer; what is returned, if anything, is awaited before the next one."""
        if self.first_ns is None and type(event) in CONTENT:
            self.first_ns = time.monotonic_ns()
        return None


class Stream(Answer):
    """One open stream. `chunks` is the number of chunks sent so far."""

    def __init__(self, id_: str, outlet: Outlet, limits: Limits) -> None:
        super().__init__()
        self.id = id_
        self.chunks = 0
        self.closed = asyncio.Event()
        self._outlet = outlet
        self._limits = limits
        self._pending: list[Delta] = []
        self._status: Status | None = None
        self._deferred = False

    def report(self, status: Status) -> None:
        self._status = status
        self._defer()

    def emit(self, event: StreamEvent) -> Awaitable[None] | None:
        """Queue an event. Where the host does not read, return what waits until it does.

        That raises `client_stalled` when it takes too long.
        """
        if isinstance(event, Status):
            self.report(event)
        elif not isinstance(event, FinishReason | Warning):
            super().emit(event)
            self._pending.append(event)
            self._defer()
            if len(self._pending) >= MAX_PENDING:
                self.flush()
            if self._outlet.congested:
                return self._wait()
        return None

    def flush(self) -> None:
        """Send what is queued."""
        if status := self._status:
            self._status = None
            self._outlet.send("stream.status", StreamStatus(stream_id=self.id, **asdict(status)))
        pending, self._pending = self._pending, []
        for delta in merged(pending):
            self._send(delta)

    def _flush_deferred(self) -> None:
        self._deferred = False
        self.flush()

    def _defer(self) -> None:
        if not self._deferred:
            self._deferred = True
            self._outlet.defer(self._flush_deferred)

    async def _wait(self) -> None:
        async with move_on_after(self._limits.stalled_stream_ms / 1000) as scope:
            await self._outlet.room()
        if scope.cancelled_caught:
            raise SidecarError("client_stalled")

    def _send(self, delta: Delta) -> None:
        for piece in _pieces(delta, self._limits.max_chunk_bytes):
            self._outlet.send("stream.chunk", StreamChunk(self.id, self.chunks, piece))
            self.chunks += 1


def _pieces(delta: Delta, limit: int) -> Iterator[Delta]:
    """Split a delta whose line might be longer than `limit` bytes; a character takes twelve at most."""
    field = "arguments" if isinstance(delta, ToolCallDelta) else "text"
    text: str = getattr(delta, field, "")
    size = max(1, limit // 16)
    if len(text) <= size:
        yield delta
        return
    for start in range(0, len(text), size):
        yield msgspec.structs.replace(delta, **{field: text[start : start + size]})
        if isinstance(delta, ToolCallDelta):
            delta = msgspec.structs.replace(delta, id=None, name=None)


class Streams:
    """Every open stream, by id."""

    def __init__(self, outlet: Outlet, limits: Limits) -> None:
        self._outlet = outlet
        self._limits = limits
        self._open: dict[str, Stream] = {}

    def open(self, id_: str) -> Stream:
        """Return a new stream, or raise `stream_id_in_use` or `server_busy`."""
        if id_ in self._open:
            raise SidecarError("stream_id_in_use", stream_id=id_)
        if len(self._open) >= self._limits.max_streams:
            raise SidecarError("server_busy", "Too many streams are open.", retry_after_ms=BUSY_RETRY_MS)
        stream = self._open[id_] = Stream(id_, self._outlet, self._limits)
        return stream

    def get(self, id_: str) -> Stream | None:
        """Return the open stream of this id."""
        return self._open.get(id_)

    def close(self, stream: Stream) -> None:
        """Free the id; the stream's reply is on its way."""
        del self._open[stream.id]
        stream.closed.set()

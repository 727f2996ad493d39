"""The deadline of a whole call, all its attempts included. It stands still while the host is waited for."""

import asyncio
from collections.abc import Awaitable

from sidecar.concurrency import CancelScope
from sidecar.handler import Call, ChatHandler, Completion, Emit
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent


def deadline(handler: ChatHandler) -> ChatHandler:
    """End a call with `timeout` when it takes longer than it may; without `timeouts.total` it may take for ever."""

    async def timed(call: Call, emit: Emit) -> Completion:
        total = call.request.timeouts and call.request.timeouts.total
        if not total:
            return await handler(call, emit)
        clock = _Clock(total / 1000, emit)
        with clock:
            async with clock.scope:
                return await handler(call, clock.emit)
        raise SidecarError("timeout", "The answer took longer than allowed.", stage="total")

    return timed


class _Clock:
    """A timer that is put off by as long as the host was waited for."""

    def __init__(self, seconds: float, emit: Emit) -> None:
        self.scope = CancelScope()
        self._emit = emit
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + seconds
        self._waiting_since: float | None = None

    def __enter__(self) -> None:
        self._timer = self._loop.call_at(self._end, self._check)

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def emit(self, event: StreamEvent) -> Awaitable[None] | None:
        room = self._emit(event)
        return None if room is None else self._wait(room)

    async def _wait(self, room: Awaitable[None]) -> None:
        self._waiting_since = since = self._loop.time()
        await room
        self._end += self._loop.time() - since
        self._waiting_since = None

    def _check(self) -> None:
        now = self._loop.time()
        waited = 0.0 if self._waiting_since is None else now - self._waiting_since
        due = self._end + waited
        if now >= due:
            self.scope.cancel()
        else:
            self._timer = self._loop.call_at(due, self._check)

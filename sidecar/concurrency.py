"""Structured concurrency on asyncio alone: a richer library would take a tenth of the process's memory at start.

https://docs.python.org/3/library/asyncio-task.html
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self


def clock() -> Callable[[], float]:
    """Return what tells the time of the running loop. The usual loops' is the system's, which takes half as long."""
    loop = asyncio.get_running_loop()
    return time.monotonic if type(loop).time is asyncio.BaseEventLoop.time else loop.time


class CancelScope:
    """A block of code that can be cancelled from outside, once; also before it begins.

    What is cancelled ends at its next wait. The block is then left quietly, with `cancelled_caught` set.
    """

    def __init__(self) -> None:
        self.cancelled_caught = False
        self._cancelled = False
        self._timeout: asyncio.Timeout | None = None

    def cancel(self) -> None:
        """Cancel the block; nothing happens when it has been left."""
        if not self._cancelled:
            self._cancelled = True
            if self._timeout is not None:
                self._timeout.reschedule(0)

    async def __aenter__(self) -> Self:
        timeout = asyncio.timeout_at(0 if self._cancelled else None)
        await timeout.__aenter__()
        self._timeout = timeout
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        timeout, self._timeout = self._timeout, None
        assert timeout is not None
        try:
            await timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            self.cancelled_caught = True
        return self.cancelled_caught


class move_on_after:  # noqa: N801 - a block, like a statement
    """A block of code that is left quietly after `seconds`, with `cancelled_caught` set; None is for ever."""

    def __init__(self, seconds: float | None) -> None:
        self.cancelled_caught = False
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            self.cancelled_caught = True
        return self.cancelled_caught


class _Over(Exception):  # noqa: N818 - raised to end a group, and caught by it
    """A task group has been cancelled."""


class TaskGroup:
    """Tasks that end before the block does. When one fails, the others are cancelled and its error is raised."""

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()

    def start_soon(self, function: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        """Run a coroutine function in a task of its own."""
        self._group.create_task(function(*arguments))

    def cancel(self) -> None:
        """End all tasks of the group, and its block."""
        self._group.create_task(_end())

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        try:
            await self._group.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            _, failures = group.split(_Over)
            if failures is not None:
                raise failures from None
            return True
        return False


async def _end() -> None:
    raise _Over

"""Waiting for a disk and for a network, either of which may be slow."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from sidecar.schema.errors import SidecarError

T = TypeVar("T")


class Deadline:
    """A block in which there must be a sign of life every so many seconds; else it raises `timeout`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timeout: asyncio.Timeout

    def extend(self) -> None:
        """Note a sign of life."""
        self._timeout.reschedule(asyncio.get_running_loop().time() + self._seconds)

    async def __aenter__(self) -> Self:
        self._timeout = asyncio.timeout(self._seconds)
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise SidecarError("timeout", "The server sent nothing for too long.", stage="idle") from None


async def off_loop(work: Callable[..., T], *arguments: object) -> T:
    """Return the result of blocking work; whoever is cancelled meanwhile waits until it is done."""
    future = asyncio.get_running_loop().run_in_executor(None, work, *arguments)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        raise

"""Downloads under way: who wants the same files shares one, and the last one to leave stops it."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final

from sidecar.concurrency import CancelScope, TaskGroup
from sidecar.library.download import Fetched, Progress, Source
from sidecar.schema.errors import SidecarError

Work = Callable[[Progress], Awaitable[list[Fetched]]]
MAX_FLIGHTS: Final = 8
"""Downloads at the same time."""
BUSY_RETRY_MS: Final = 5000


class Flight:
    """One download, in a task that belongs to none of those who want it."""

    def __init__(self, sources: list[Source]) -> None:
        self.sources = sources
        self.leaving = False
        self.ended = asyncio.Event()
        self.outcome: list[Fetched] | None = None
        self.failure: Exception | None = None
        self._listeners: list[Progress] = []
        self._latest: tuple[int, int | None] | None = None
        self._scope = CancelScope()

    async def run(self, work: Work) -> None:
        """Fetch the files, and note how that went."""
        with self:
            async with self._scope:
                self.outcome = await work(self._tell)

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        self.ended.set()
        if isinstance(error, Exception):
            self.failure = error
        return self.failure is not None

    def _tell(self, size: int, total: int | None) -> None:
        self._latest = (size, total)
        for listener in self._listeners:
            listener(size, total)

    async def ride(self, progress: Progress) -> list[Fetched]:
        """Return the files when they are there; `progress` hears how far they are."""
        self._listeners.append(progress)
        if self._latest:
            progress(*self._latest)
        try:
            await self.ended.wait()
        finally:
            self._listeners.remove(progress)
            if not self._listeners:
                self.leaving = True
                self._scope.cancel()
        if self.failure is not None:
            raise _copy(self.failure)
        if self.outcome is None:
            raise SidecarError("shutting_down")
        return self.outcome


def _copy(failure: Exception) -> Exception:
    """Return the same error for one of several: each gets one of its own."""
    if isinstance(failure, SidecarError):
        return SidecarError(failure.type, failure.message, **failure.details)
    return failure


class Flights:
    """Every download under way, by the model that it is for."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._flights: dict[str, Flight] = {}

    def __contains__(self, model: str) -> bool:
        """Tell whether a model is being fetched."""
        return model in self._flights

    async def join(self, model: str, sources: list[Source], work: Work, progress: Progress) -> list[Fetched]:
        """Fetch the files of a model, together with whoever else wants the same."""
        while (flight := self._flights.get(model)) and flight.leaving:
            await flight.ended.wait()
        if flight is None:
            flight = self._begin(model, sources, work)
        elif flight.sources != sources:
            raise SidecarError("model_in_use", f"Other files are being fetched as {model}.", model=model)
        return await flight.ride(progress)

    def _begin(self, model: str, sources: list[Source], work: Work) -> Flight:
        if len(self._flights) >= MAX_FLIGHTS:
            raise SidecarError("server_busy", "Too many models are being fetched.", retry_after_ms=BUSY_RETRY_MS)
        flight = self._flights[model] = Flight(sources)
        self._tasks.start_soon(self._fly, model, flight, work)
        return flight

    async def _fly(self, model: str, flight: Flight, work: Work) -> None:
        try:
            await flight.run(work)
        finally:
            del self._flights[model]

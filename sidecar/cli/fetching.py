"""A download on the screen: a bar where there is a terminal, a line now and then elsewhere, and its end."""

import contextlib
import time
from collections.abc import Callable
from typing import Any, Final

import anyio
from anyio.abc import TaskGroup

from sidecar.cli import measures
from sidecar.cli.client import CallFailed, Client
from sidecar.cli.interrupts import on_interrupt
from sidecar.cli.screen import GAP, Screen
from sidecar.schema.downloads import DownloadedModel
from sidecar.schema.errors import ErrorObject, ErrorType, SidecarError
from sidecar.schema.tasks import TaskProgress

TASK: Final = "download"
STATE: Final = "fetching"
CANCELLED: Final[ErrorType] = "request_cancelled"
KEPT: Final[tuple[ErrorType, ...]] = (CANCELLED, "disk_full")
"""Ends of a download that trying again does not mend, and that it goes on after all the same."""
TENTHS: Final = 10
SILENCE_S: Final = 30.0
"""How long it stays silent without a terminal while no further tenth of the file has come."""

WIDTHS: Final = (5, 18, 11)
"""Columns for the share, the bytes and the speed, so that nothing moves when a number gets longer."""
TIME_WIDTH: Final = 11


class Progress:
    """Shows how far a download is; `latest` is what was told last. `clock` returns seconds."""

    def __init__(self, screen: Screen, clock: Callable[[], float] = time.monotonic) -> None:
        self.latest = TaskProgress(task_id=TASK, kind="download")
        self._screen = screen
        self._clock = clock
        self._tenth = -1
        self._said = clock()

    def show(self, told: TaskProgress) -> None:
        """Show what was told, unless that would be too much."""
        self.latest = told
        if not (told.bytes or told.total_bytes):
            self._screen.status(STATE)
        elif self._screen.live:
            self._screen.status(STATE, _padded(told), told.progress)
        elif self._is_due(told):
            self._screen.note(", ".join(filter(None, _facts(told))))

    def _is_due(self, told: TaskProgress) -> bool:
        tenth, now = int((told.progress or 0) * TENTHS), self._clock()
        if tenth == self._tenth and now - self._said < SILENCE_S:
            return False
        self._tenth, self._said = tenth, now
        return True


def amount(told: TaskProgress) -> str:
    """Return how many bytes there are, and of how many, if that is known."""
    if told.total_bytes is None:
        return measures.size(told.bytes or 0)
    return measures.progress(told.bytes or 0, told.total_bytes)


def _facts(told: TaskProgress) -> list[str]:
    """Return what is known of share, bytes, speed and time; empty where it is not."""
    return [
        "" if told.progress is None else measures.share(told.progress),
        amount(told),
        "" if told.bytes_per_second is None else f"{measures.size(told.bytes_per_second)}/s",
        "" if told.eta_ms is None else f"{measures.clock(told.eta_ms)} left",
    ]


def _padded(told: TaskProgress) -> str:
    *numbers, left = _facts(told)
    cells = [text.rjust(width) for text, width in zip(numbers, WIDTHS, strict=True)]
    return "".join(GAP + cell for cell in [*cells, left.ljust(TIME_WIDTH)])


def remainder(error: ErrorObject, latest: TaskProgress) -> list[str]:
    """Return the line that tells how much of a download that ended with `error` is there to go on from, if any is."""
    if latest.bytes and (error.data.retryable or error.data.type in KEPT):
        return [f"{amount(latest)} are here. The same command goes on from there."]
    return []


class Fetching:
    """One download. The first Ctrl-C cancels it, the second does not even wait for that."""

    def __init__(self, client: Client, screen: Screen, tasks: TaskGroup) -> None:
        self.progress = Progress(screen)
        self._client = client
        self._tasks = tasks
        self._interrupts = 0

    async def run(self, params: dict[str, Any]) -> DownloadedModel:
        """Return what was fetched, or raise `CallFailed`: where Ctrl-C ended it, with `request_cancelled`."""
        params = params | {"task_id": TASK}
        with anyio.CancelScope() as patience, on_interrupt(lambda: self._interrupted(patience)):
            return await self._client.task("models.download", params, DownloadedModel, self.progress.show)
        raise CallFailed(SidecarError(CANCELLED).to_object())

    def _interrupted(self, patience: anyio.CancelScope) -> None:
        self._interrupts += 1
        if self._interrupts == 1:
            self._tasks.start_soon(self._cancel)
        else:
            patience.cancel()

    async def _cancel(self) -> None:
        with contextlib.suppress(CallFailed):
            await self._client.cancel_task(TASK)

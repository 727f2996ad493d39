"""Long tasks in progress: the latest that each has to report goes to the host, now and then, when there is room."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import asdict

from sidecar.schema.errors import SidecarError
from sidecar.schema.tasks import TaskProgress, TaskReport

INTERVAL_S: Final = 0.25
"""The least time between two reports of a task."""
MAX_TASK_ID: Final = 256

Report = Callable[[TaskReport], None]


class Outlet(Protocol):
    """Where notifications go."""

    def send(self, method: str, params: Struct) -> None: ...
    def defer(self, flush: Callable[[], None]) -> None: ...


class Task:
    """One task. What it reports is sent at once the first time, then not more often than every `INTERVAL_S`."""

    def __init__(self, id_: str, outlet: Outlet) -> None:
        self.id = id_
        self._outlet = outlet
        self._latest: TaskReport | None = None
        self._deferred = False
        self._pause: asyncio.TimerHandle | None = None

    def report(self, report: TaskReport) -> None:
        """Take note of how far the task has come; never waits, never fails."""
        self._latest = report
        self._defer()

    def close(self) -> None:
        """Report no more: the reply says how it ended."""
        self._latest = None
        if self._pause is not None:
            self._pause.cancel()

    def _defer(self) -> None:
        if not self._deferred and self._pause is None:
            self._deferred = True
            self._outlet.defer(self._flush)

    def _flush(self) -> None:
        self._deferred = False
        if report := self._latest:
            self._latest = None
            self._outlet.send("task.progress", TaskProgress(task_id=self.id, **asdict(report)))
            self._pause = asyncio.get_running_loop().call_later(INTERVAL_S, self._resume)

    def _resume(self) -> None:
        self._pause = None
        if self._latest:
            self._defer()


class Tasks:
    """Every task in progress, by id."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._open: dict[str, Task] = {}

    def open(self, chosen: str | None, request_id: str | int | None) -> Task:
        """Return a new task under the id that the caller chose, or else that of its request.

        Raise `invalid_params` where there is none, or another task has it.
        """
        if chosen is None and request_id is None:
            raise SidecarError("invalid_params", "A notification needs a task_id of its own.", param="task_id")
        id_ = str(request_id) if chosen is None else chosen
        if len(id_) > MAX_TASK_ID:
            raise SidecarError("invalid_params", f"A task_id may have {MAX_TASK_ID} characters.", param="task_id")
        if id_ in self._open:
            raise SidecarError("invalid_params", "A task in progress has this task_id.", param="task_id")
        task = self._open[id_] = Task(id_, self._outlet)
        return task

    def close(self, task: Task) -> None:
        """Free the id; the reply is on its way."""
        del self._open[task.id]
        task.close()

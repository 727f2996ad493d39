"""One SQLite file, and one thread that reads and writes it. Where the file fails, memory takes its place.

https://www.sqlite.org/wal.html
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import BoundedSemaphore
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from sidecar.app_files import DIRECTORY, file_name, user_directory
from sidecar.concurrency import move_on_after
from sidecar.schema.ledger import StorageState
from sidecar.storage.connections import Begin, Job, T, connect, failures, transaction
from sidecar.storage.faults import DAMAGED, Fault, fault_of
from sidecar.storage.tables import carry_over

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor
    from sqlite3 import Connection

MAX_WAITING: Final = 10_000
"""Jobs that nobody waits for and that the disk has not taken yet; more are dropped."""

GATHER_S: Final = 0.05
"""How long jobs that nobody waits for are gathered: to wake the thread costs more than most of them do."""

MAX_BUSY_MS: Final = 2**31 - 1
"""SQLite counts milliseconds in 32 bits."""

RETRY_S: Final = 60.0
"""How long a file that failed is left alone."""
RETURN_S: Final = 0.5
"""How long going back to such a file may wait for another process."""

LACK: Final = "Costs, budgets and kept answers are in memory alone."

log: Final = logging.getLogger(__name__)


class Database:
    """Runs jobs one after the other. `app` names the file, until the first job.

    Without a `directory` the file lies in the user's data directory. With `memory_only` there is none.
    """

    def __init__(self, directory: Path | None = None, *, busy_ms: int = 5_000, memory_only: bool = False) -> None:
        self.app: str = DIRECTORY
        self._directory = directory
        self._busy_s = min(busy_ms, MAX_BUSY_MS) / 1000
        self._state = StorageState("memory" if memory_only else "disk")
        self._room = BoundedSemaphore(MAX_WAITING)
        self._posts: list[Job[Any]] = []
        self._lost = 0
        self._timer: asyncio.TimerHandle | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._connection: Connection | None = None
        self._retry_at: float | None = None

    @property
    def state(self) -> StorageState:
        """Where things are kept now, and what keeps them from the disk."""
        return self._state

    def post(self, job: Job[Any]) -> None:
        """Have a job done soon that nobody waits for."""
        if self._room.acquire(blocking=False):
            self._posts.append(job)
        else:
            self._lost += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._flush)

    async def ask(self, job: Job[T]) -> T:
        """Return what a job returns; whatever was posted before is done by then."""
        self._flush()
        return await _answer(self._submit(lambda: self._perform(job, "BEGIN IMMEDIATE")))

    async def read(self, job: Job[T]) -> T:
        """Return what a job returns that changes nothing; other processes may write meanwhile."""
        self._flush()
        return await _answer(self._submit(lambda: self._perform(job, "BEGIN")))

    def reading(self, job: Job[T]) -> "asyncio.Future[T | None]":
        """Begin to read, without making a file: what is returned will have the result, None where there is no file."""
        self._flush()
        return asyncio.wrap_future(self._submit(lambda: self._perform(job, "BEGIN") if self._is_there() else None))

    async def close(self, seconds: float) -> None:
        """Wait, within a bound, until all that was posted is done, and close the file."""
        self._flush()
        if self._thread is not None:
            async with move_on_after(seconds):
                await _answer(self._submit(self._end))

    def _submit(self, work: Callable[[], T]) -> "Future[T]":
        if self._thread is None:
            from concurrent.futures import ThreadPoolExecutor  # a start does without it

            self._thread = ThreadPoolExecutor(1, "storage")
        return self._thread.submit(work)

    def _flush(self) -> None:
        """Begin what was posted."""
        if self._timer is None:
            return
        self._timer.cancel()
        if self._lost:
            log.warning("the database does not keep up; %s entries were not recorded", self._lost)
        posts, self._posts, self._lost, self._timer = self._posts, [], 0, None
        if posts:
            self._record(posts)

    def _record(self, posts: list[Job[Any]]) -> None:
        """Do jobs in one transaction."""

        def each(connection: "Connection") -> None:
            for job in posts:
                with _Alone(connection):
                    job(connection)

        work = self._submit(lambda: self._perform(each, "BEGIN IMMEDIATE"))
        work.add_done_callback(partial(self._recorded, len(posts)))

    def _recorded(self, number: int, done: "Future[None]") -> None:
        for _ in range(number):
            self._room.release()
        if error := done.exception():
            log.error("something was not recorded", exc_info=error)

    def _perform(self, job: Job[T], begin: Begin) -> T:
        if self._retry_at is not None and time.monotonic() >= self._retry_at:
            self._return_to_disk()
        if self._state.state == "disk":
            try:
                return transaction(self._open(), job, begin)
            except failures() as error:
                fault = fault_of(error)
                if fault is None:
                    raise
                self._fall_back(fault, error)
        return transaction(self._open(), job, begin)

    def _open(self) -> "Connection":
        if self._connection is None:
            path = self._path() if self._state.state == "disk" else None
            self._connection = connect(path, self._busy_s)
        return self._connection

    def _is_there(self) -> bool:
        if self._connection is None and self._state.state == "memory":
            return False
        with suppress(OSError):
            return self._connection is not None or self._path().exists()
        return True

    def _path(self) -> Path:
        return (self._directory or user_directory()) / file_name("data", self.app, ".sqlite3")

    def _fall_back(self, fault: Fault, error: Exception) -> None:
        """Go on in memory."""
        log.warning("nothing is kept on disk: %s (%s)", fault.problem, error)
        self._shut()
        self._lack(fault)

    def _lack(self, fault: Fault) -> None:
        self._state = StorageState("memory", f"{LACK} {fault.problem}", fault.hint)
        self._retry_at = time.monotonic() + RETRY_S if fault.passing else None

    def _return_to_disk(self) -> None:
        """Take what has gathered in memory to the file, all of it or nothing."""
        memory = self._open()
        try:
            disk = connect(self._path(), RETURN_S)
            try:
                transaction(disk, lambda connection: carry_over(memory, connection), "BEGIN IMMEDIATE")
            except failures():
                disk.close()
                raise
        except failures() as error:
            self._lack(fault_of(error) or DAMAGED)
        else:
            log.warning("everything is on disk again")
            disk.execute(f"PRAGMA busy_timeout = {round(self._busy_s * 1000)}")
            self._shut()
            self._connection, self._state, self._retry_at = disk, StorageState("disk"), None

    def _end(self) -> None:
        if self._retry_at is not None:
            self._return_to_disk()
        self._shut()

    def _shut(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class _Alone:
    """One of several jobs in a transaction: what it does wrong is undone and logged, and nobody else's."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("SAVEPOINT job")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        wrong = isinstance(error, Exception) and fault_of(error) is None
        if wrong:
            self._connection.execute("ROLLBACK TO job")
            log.error("something was not recorded", exc_info=error)
        if wrong or error is None:
            self._connection.execute("RELEASE job")
        return wrong


async def _answer(work: "Future[T]") -> T:
    """Wait for work that is done even when nobody waits any more."""
    return await asyncio.shield(asyncio.wrap_future(work))

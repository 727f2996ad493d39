"""A database in memory that does each job at once, in the thread that asks: for tests in virtual time."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sidecar.storage.connections import Job
from sidecar.storage.database import Database

T = TypeVar("T")


class InlineDatabase(Database):
    """Keeps nothing on disk and starts no thread."""

    def __init__(self) -> None:
        super().__init__(memory_only=True)

    def post(self, job: Job[Any]) -> None:
        """Do a job now."""
        self._room.acquire()
        self._record([job])

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to whoever asked, as the thread does
            done.set_exception(error)
        return done

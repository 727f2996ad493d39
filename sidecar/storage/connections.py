"""Opens the database, in a file or in memory, and does jobs in it.

https://www.sqlite.org/wal.html
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from sidecar.storage.faults import HELD, NewerFileError, fault_of
from sidecar.storage.tables import prepare

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")
Job = Callable[["Connection"], T]
"""Works with the database, in its thread, inside a transaction of its own.

It does nothing else: where the file fails it is done again, in memory.
"""

Begin = Literal["BEGIN", "BEGIN IMMEDIATE"]
"""Reads, or may write."""

MEMORY: Final = ":memory:"
PAUSE_S: Final = 0.01
CACHE_KIB: Final = 512
"""How much of the file is held in memory; SQLite would hold 2 MiB, and the system does so, too."""


def failures() -> tuple[type[Exception], ...]:
    """Return what is raised where a file fails, and more; `fault_of` tells."""
    from sqlite3 import Error  # a start does without it

    return (Error, OSError, NewerFileError)


def connect(path: Path | None, busy_s: float) -> "Connection":
    """Open a file, making it where there is none, or without a path a database in memory. Raises `failures`."""
    import sqlite3

    if path is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite's other files take after it
    connection = sqlite3.connect(path or MEMORY, timeout=busy_s, isolation_level=None)
    try:
        _use_wal(connection, time.monotonic() + busy_s)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is not left in free pages
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        prepare(connection)
    except failures():
        connection.close()
        raise
    return connection


def _use_wal(connection: "Connection", end: float) -> None:
    """Choose the journal; of two that do so at once one is turned away, however long it is willing to wait."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except failures() as error:
            if fault_of(error) is not HELD or time.monotonic() >= end:
                raise
            time.sleep(PAUSE_S)
        else:
            return


def transaction(connection: "Connection", job: Job[T], begin: Begin) -> T:
    """Do a job wholly or not at all."""
    connection.execute(begin)
    try:
        result = job(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result

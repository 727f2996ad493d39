"""Files are opened by several at once, and by those alone who own them."""

import sqlite3
import stat
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from sidecar.storage.connections import _use_wal, connect, transaction

BUSY_S = 10.0


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_made_with_its_folder_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / "data.sqlite3"
    connection = connect(path, BUSY_S)
    transaction(connection, lambda c: c.execute("INSERT INTO budgets VALUES ('a', 'b')"), "BEGIN IMMEDIATE")
    made = {file.name: mode(file) for file in path.parent.iterdir()}
    connection.close()
    assert sorted(made) == ["data.sqlite3", "data.sqlite3-shm", "data.sqlite3-wal"]
    if sys.platform != "win32":
        assert set(made.values()) == {0o600}
        assert mode(path.parent) == 0o700


def test_what_one_writes_another_reads(tmp_path: Path) -> None:
    one, other = (connect(tmp_path / "data.sqlite3", BUSY_S) for _ in range(2))
    transaction(one, lambda c: c.execute("INSERT INTO budgets VALUES ('a', 'b')"), "BEGIN IMMEDIATE")
    assert transaction(other, lambda c: c.execute("SELECT * FROM budgets").fetchall(), "BEGIN") == [("a", "b")]
    one.close()
    other.close()


class Hasty:
    """A connection that is turned away at once, so many times."""

    def __init__(self, times: int, code: int = sqlite3.SQLITE_BUSY) -> None:
        self.times = times
        self._error = sqlite3.OperationalError()
        self._error.sqlite_errorcode = code

    def execute(self, statement: str) -> None:
        assert statement == "PRAGMA journal_mode = WAL"
        if self.times:
            self.times -= 1
            raise self._error


def test_what_sqlite_does_not_wait_for_is_waited_for() -> None:
    hasty: Any = Hasty(3)
    _use_wal(hasty, time.monotonic() + BUSY_S)
    assert hasty.times == 0


@pytest.mark.parametrize(("code", "end"), [(sqlite3.SQLITE_BUSY, 0.0), (sqlite3.SQLITE_IOERR, float("inf"))])
def test_what_is_over_or_does_not_pass_is_not_waited_for(code: int, end: float) -> None:
    hasty: Any = Hasty(3, code)
    with pytest.raises(sqlite3.OperationalError):
        _use_wal(hasty, end)
    assert hasty.times == 2


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    together = Barrier(4)

    def open_all(_: int) -> None:
        for number in range(50):
            together.wait(BUSY_S)
            connect(tmp_path / f"{number}.sqlite3", BUSY_S).close()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(open_all, range(4))) == [None] * 4


def test_opening_waits_for_a_bounded_time(tmp_path: Path) -> None:
    path = tmp_path / "data.sqlite3"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        connect(path, 0.05)
    holder.close()


def test_a_job_that_fails_leaves_nothing(tmp_path: Path) -> None:
    connection = connect(tmp_path / "data.sqlite3", BUSY_S)

    def job(inner: sqlite3.Connection) -> None:
        inner.execute("INSERT INTO budgets VALUES ('a', 'b')")
        raise KeyError

    with pytest.raises(KeyError):
        transaction(connection, job, "BEGIN IMMEDIATE")
    assert connection.execute("SELECT count(*) FROM budgets").fetchone() == (0,)
    connection.close()

"""Files of any age become files of today, once."""

import sqlite3
from collections.abc import Iterator

import pytest

from sidecar.storage import tables
from sidecar.storage.faults import NewerFileError
from sidecar.storage.tables import MIGRATIONS, carry_over, prepare

ATTEMPT = (1, 0, "2026-11-22", "chat", "p", "k", "m", "ok", None, 0, 5, *[None] * 5, 0, 7, "table", 0, 0, 0, 0)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    yield opened
    opened.close()


def version(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return int(number)


def test_a_new_file_has_all_tables(connection: sqlite3.Connection) -> None:
    prepare(connection)
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    assert {name for (name,) in found} >= {"answers", "attempt_tags", "attempts", "budgets"}
    assert (version(connection), connection.in_transaction) == (len(MIGRATIONS), False)


def test_a_file_of_today_is_left_as_it_is(connection: sqlite3.Connection) -> None:
    prepare(connection)
    connection.execute("INSERT INTO budgets VALUES ('a', 'b')")
    prepare(connection)
    assert connection.execute("SELECT * FROM budgets").fetchall() == [("a", "b")]


def test_an_older_file_keeps_what_it_has(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(connection)
    connection.execute("INSERT INTO budgets VALUES ('a', 'b')")
    monkeypatch.setattr(tables, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE more (x); INSERT INTO more VALUES (1);"))
    prepare(connection)
    assert connection.execute("SELECT * FROM budgets, more").fetchall() == [("a", "b", 1)]
    assert version(connection) == len(MIGRATIONS) + 1


def test_a_newer_file_is_refused(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerFileError):
        prepare(connection)


def test_rows_are_carried_over_behind_those_that_are_there(connection: sqlite3.Connection) -> None:
    other = sqlite3.connect(":memory:", isolation_level=None)
    for number, opened in enumerate((other, connection)):
        prepare(opened)
        opened.execute(f"INSERT INTO attempts VALUES ({', '.join('?' * len(ATTEMPT))})", ATTEMPT)
        opened.execute("INSERT INTO attempt_tags VALUES (?, 1)", (f"tag-{number}",))
        opened.execute("INSERT INTO budgets VALUES ('a', ?)", (number,))
    connection.execute("INSERT INTO budgets VALUES ('gone', 'x'), ('kept', 'y')")
    other.execute("INSERT INTO budgets VALUES ('gone', x'')")
    carry_over(other, connection)
    rows = connection.execute("SELECT id, tag, cost FROM attempts JOIN attempt_tags ON attempt = id").fetchall()
    assert rows == [(1, "tag-1", 7), (2, "tag-0", 7)]
    assert connection.execute("SELECT * FROM budgets").fetchall() == [("a", 0), ("kept", "y")]
    other.close()

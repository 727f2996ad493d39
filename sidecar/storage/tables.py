"""The tables of the database file, and how an older file becomes a newer one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from sidecar.storage.faults import NewerFileError

if TYPE_CHECKING:
    from sqlite3 import Connection

MIGRATIONS: Final = (
    """
    CREATE TABLE attempts (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        day TEXT NOT NULL,
        method TEXT NOT NULL,
        provider TEXT NOT NULL,
        kind TEXT NOT NULL,
        model TEXT NOT NULL,
        outcome TEXT NOT NULL,
        error_type TEXT,
        cached INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL,
        input_tokens INTEGER,
        output_tokens INTEGER,
        reasoning_tokens INTEGER,
        cache_read_tokens INTEGER,
        cache_write_tokens INTEGER,
        estimated INTEGER NOT NULL,
        cost INTEGER,
        cost_source TEXT NOT NULL,
        cost_estimated INTEGER NOT NULL,
        unpriced INTEGER NOT NULL,
        prompt_savings INTEGER NOT NULL,
        response_savings INTEGER NOT NULL
    );
    CREATE INDEX attempts_by_day ON attempts (day);
    CREATE TABLE attempt_tags (
        tag TEXT NOT NULL,
        attempt INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
        PRIMARY KEY (tag, attempt)
    ) WITHOUT ROWID;
    CREATE INDEX tags_by_attempt ON attempt_tags (attempt);
    CREATE TABLE budgets (id TEXT PRIMARY KEY, definition BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE answers (
        key BLOB PRIMARY KEY,
        kept_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL,
        size INTEGER NOT NULL,
        tags TEXT NOT NULL,
        answer BLOB NOT NULL
    );
    CREATE INDEX answers_by_use ON answers (used_at, size);
    CREATE INDEX answers_by_end ON answers (expires_at);
    """,
)
"""Each takes the file from the version of its place to the next. Amounts of money are in picodollars, times in ms."""


def prepare(connection: "Connection") -> None:
    """Bring the tables to the present version, or raise `NewerFileError`."""
    if _version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")  # so that of several processes one does it
    version = _version(connection)
    if version > len(MIGRATIONS):
        raise NewerFileError
    for script in MIGRATIONS[version:]:
        for statement in script.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")


def _version(connection: "Connection") -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def carry_over(source: "Connection", target: "Connection") -> None:
    """Add attempts and budgets of one database to another, whose attempts come first; kept answers can be had anew."""
    (last,) = target.execute("SELECT coalesce(max(id), 0) FROM attempts").fetchone()
    _add(target, "attempts", ((id_ + last, *rest) for id_, *rest in source.execute("SELECT * FROM attempts")))
    tags = source.execute("SELECT tag, attempt + ? FROM attempt_tags", (last,))
    _add(target, "attempt_tags", tags)
    _add(target, "budgets", source.execute("SELECT * FROM budgets"))
    target.execute("DELETE FROM budgets WHERE definition = x''")  # what was removed meanwhile


def _add(target: "Connection", table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    for row in rows:
        places = ", ".join("?" * len(row))
        target.execute(f"INSERT OR REPLACE INTO {table} VALUES ({places})", row)  # noqa: S608 - names of our own

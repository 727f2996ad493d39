"""Kept answers, found by the digest of what was asked. Those not used for longest make room for others."""

import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sidecar.concurrency import move_on_after
from sidecar.deltas import merged
from sidecar.dialects.lenient import UNREADABLE
from sidecar.schema.cache import CacheStats
from sidecar.schema.chat import FinishReason, StructuredOutput, Warning
from sidecar.schema.events import Delta
from sidecar.schema.session import Limits
from sidecar.schema.usage import Cost
from sidecar.storage.connections import failures
from sidecar.storage.database import Database

if TYPE_CHECKING:
    from sqlite3 import Connection

MEMORY_BYTES: Final = 32 << 20
"""The size of all kept answers where they are not on disk; `limits.cache_bytes` may say less."""

ROW_BYTES: Final = 1 << 10
"""What a kept answer is reckoned to take beside itself, so that their number is bounded, too."""

DROPPED_AT_ONCE: Final = 1000
"""How many answers make room for a new one; where that is not enough, it is not kept."""

JOINED: Final = 256
"""Deltas that are joined where they are neighbours: about as many as a stream to a busy host joins."""


class KeptAnswer(Struct, frozen=True, kw_only=True):
    """A whole answer: the events that it came in, and what it cost. `warnings` are the answer's own."""

    deltas: list[Delta]
    finish: FinishReason
    warnings: list[Warning]
    structured: StructuredOutput | None
    cost: Cost


class Entry(Struct, frozen=True):
    """Under what an answer is kept. Without `ttl_s` it is kept as long as any."""

    key: bytes
    tags: tuple[str, ...]
    ttl_s: int | None


class Tally(Struct):
    """What has happened since the process began."""

    hits: int = 0
    misses: int = 0
    joined: int = 0
    stored: int = 0


class UnavailableError(Exception):
    """The database does not answer, or not in time."""


_ENCODER: Final = msgspec.json.Encoder()


class Answers:
    """Keeps answers in the database. `clock` returns the seconds since 1970."""

    def __init__(self, database: Database, limits: Limits, clock: Callable[[], float] = time.time) -> None:
        self.tally = Tally()
        self._database = database
        self._limits = limits
        self._clock = clock

    async def find(self, key: bytes, ttl_s: int | None) -> KeptAnswer | None:
        """Return the answer that is kept under the key, if it is at most so old. Raises `UnavailableError`."""
        now = self._now()
        oldest = now - self._ttl_ms(ttl_s)
        async with move_on_after(self._limits.storage_ms / 1000):
            try:
                return await self._database.ask(lambda connection: _take(connection, key, now, oldest))
            except failures() as error:
                raise UnavailableError from error
        raise UnavailableError

    def keep(self, entry: Entry, answer: KeptAnswer) -> None:
        """Keep an answer in place of any other of its key, unless it is too long; nobody waits for it."""
        now = self._now()
        self._database.post(lambda connection: self._insert(connection, entry, answer, now))

    async def stats(self) -> CacheStats:
        """Return what is kept, and what happened so far."""
        entries, size = await self._database.ask(_measured)
        state = self._database.state
        return CacheStats(
            entries=entries,
            bytes=size,
            max_bytes=self._capacity(),
            hits=self.tally.hits,
            misses=self.tally.misses,
            joined=self.tally.joined,
            stored=self.tally.stored,
            storage=state,
        )

    async def clear(self, tag: str | None) -> int:
        """Drop all answers, or those of a tag, and return how many they were."""
        return await self._database.ask(lambda connection: _clear(connection, tag))

    def _insert(self, connection: "Connection", entry: Entry, answer: KeptAnswer, now: int) -> None:
        data = _ENCODER.encode(replace(answer, deltas=list(_in_runs(answer.deltas))))
        if len(data) > self._limits.cache_answer_bytes:
            return
        connection.execute("DELETE FROM answers WHERE key = ?", (entry.key,))
        size = len(data) + ROW_BYTES
        if _make_room(connection, self._capacity() - size, now):
            tags = _ENCODER.encode(sorted(entry.tags)).decode()
            row = (entry.key, now, now + self._ttl_ms(entry.ttl_s), now, size, tags, data)
            connection.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            self.tally.stored += 1

    def _capacity(self) -> int:
        allowed = self._limits.cache_bytes
        return allowed if self._database.state.state == "disk" else min(allowed, MEMORY_BYTES)

    def _ttl_ms(self, ttl_s: int | None) -> int:
        longest = self._limits.cache_ttl_s
        return (longest if ttl_s is None else min(ttl_s, longest)) * 1000

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _in_runs(deltas: list[Delta]) -> Iterator[Delta]:
    for start in range(0, len(deltas), JOINED):
        yield from merged(deltas[start : start + JOINED])


def _take(connection: "Connection", key: bytes, now: int, oldest: int) -> KeptAnswer | None:
    """Return an answer and note that it is used; drop one that cannot be read."""
    # One from the future was kept by a clock that went wrong, and might not end for years.
    fresh = "SELECT answer FROM answers WHERE key = ? AND kept_at BETWEEN ? AND ? AND expires_at > ?"
    row = connection.execute(fresh, (key, oldest, now, now)).fetchone()
    if row is None:
        return None
    try:
        answer = _decoder().decode(row[0])
    except UNREADABLE:
        connection.execute("DELETE FROM answers WHERE key = ?", (key,))
        return None
    connection.execute("UPDATE answers SET used_at = ? WHERE key = ?", (now, key))
    return answer


@cache
def _decoder() -> msgspec.json.Decoder[KeptAnswer]:
    """Return what a start does without."""
    return msgspec.json.Decoder(KeptAnswer)


def _make_room(connection: "Connection", allowed: int, now: int) -> bool:
    """Drop what has expired, then what was not used for longest; tell whether the rest is as small as allowed."""
    expired = "SELECT rowid FROM answers WHERE expires_at <= ? LIMIT ?"
    connection.execute(f"DELETE FROM answers WHERE rowid IN ({expired})", (now, DROPPED_AT_ONCE))  # noqa: S608 - our own words
    excess = _measured(connection)[1] - allowed
    if excess > 0:
        oldest = "SELECT rowid, size FROM answers ORDER BY used_at LIMIT ?"
        for rowid, size in connection.execute(oldest, (DROPPED_AT_ONCE,)).fetchall():
            connection.execute("DELETE FROM answers WHERE rowid = ?", (rowid,))
            excess -= size
            if excess <= 0:
                break
    return excess <= 0


def _measured(connection: "Connection") -> tuple[int, int]:
    """Return the number and the size of all answers; an index holds both, so that none is looked at."""
    totals = "SELECT count(*), coalesce(sum(size), 0) FROM answers INDEXED BY answers_by_use"
    count, size = connection.execute(totals).fetchone()
    return count, size


def _clear(connection: "Connection", tag: str | None) -> int:
    if tag is None:
        return connection.execute("DELETE FROM answers").rowcount
    tagged = "EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)"
    return connection.execute(f"DELETE FROM answers WHERE {tagged}", (tag,)).rowcount  # noqa: S608 - our own words

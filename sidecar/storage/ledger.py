"""The ledger: every attempt, what it used and what it cost."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from sidecar.schema.ledger import UsageQuery, UsageSummary
from sidecar.schema.usage import Cost, Outcome, Usage
from sidecar.storage.database import Database
from sidecar.storage.money import stored
from sidecar.storage.summaries import summarised

if TYPE_CHECKING:
    from sqlite3 import Connection

DAYS: Final = 800
"""How long the ledger goes back unless it is told."""
PRUNED: Final = 100
"""Attempts that are too old make room for each new one, so many at a time: nobody waits long for it."""
MAX_IN_MEMORY: Final = 20_000
"""Of how many attempts memory knows, where there is no file; the oldest are forgotten."""
MAX_TOKENS: Final = 10**9
"""More than any answer has; a count above it is nonsense, and sums have 63 bits."""


class Entry(Struct, frozen=True, kw_only=True):
    """One attempt. Savings are in US dollars: by the provider's prompt cache, and by the response cache."""

    at: datetime
    """When it ended, with a time zone."""
    method: Literal["chat", "embeddings"]
    provider: str
    kind: str
    model: str
    tags: tuple[str, ...]
    outcome: Outcome
    error_type: str | None
    cached: bool
    duration_ms: int
    usage: Usage | None
    cost: Cost
    prompt_savings: Decimal = Decimal()
    response_savings: Decimal = Decimal()

    @property
    def unpriced(self) -> bool:
        """Whether it cost something, and nobody knows how much."""
        return self.cost.amount is None and (self.usage is not None or self.outcome == "ok")


class Ledger:
    """Takes entries without waiting. `watchers` are called at once, on the loop, with each of them."""

    def __init__(self, database: Database, days: int = DAYS) -> None:
        self.watchers: list[Callable[[Entry], None]] = []
        self._database = database
        self._days = days
        self._pruned = ""
        """The day before which nothing is left."""

    def enter(self, entry: Entry) -> None:
        """Record an attempt; this never fails and never waits."""
        for watch in self.watchers:
            watch(entry)
        self._database.post(lambda connection: self._enter(connection, entry))

    async def summary(self, query: UsageQuery) -> UsageSummary:
        """Return what was used, as far back as the ledger goes, by groups."""
        groups, total, truncated = await self._database.read(
            lambda connection: summarised(connection, query, self._first_day(datetime.now(UTC)))
        )
        return UsageSummary(groups=groups, total=total, truncated=truncated, storage=self._database.state)

    def _enter(self, connection: "Connection", entry: Entry) -> None:
        last = _insert(connection, entry)
        if self._database.state.state == "memory":
            connection.execute("DELETE FROM attempts WHERE id <= ?", (last - MAX_IN_MEMORY,))
        if (first_day := self._first_day(entry.at)) != self._pruned:
            old = "SELECT id FROM attempts WHERE day < ? LIMIT ?"
            gone = connection.execute(f"DELETE FROM attempts WHERE id IN ({old})", (first_day, PRUNED))  # noqa: S608
            if gone.rowcount < PRUNED:
                self._pruned = first_day

    def _first_day(self, now: datetime) -> str:
        today = now.astimezone().date()
        return date.fromordinal(max(1, today.toordinal() - self._days)).isoformat()


def _insert(connection: "Connection", entry: Entry) -> int:
    """Add an attempt, and return its id."""
    usage = entry.usage or Usage()
    amount = entry.cost.amount
    cursor = connection.execute(
        f"INSERT INTO attempts VALUES (NULL{', ?' * 22})",  # noqa: S608 - a number of places
        (
            int(entry.at.timestamp() * 1000),
            entry.at.astimezone().date().isoformat(),
            entry.method,
            entry.provider,
            entry.kind,
            entry.model,
            entry.outcome,
            entry.error_type,
            entry.cached,
            entry.duration_ms,
            _count(usage.input_tokens),
            _count(usage.output_tokens),
            _count(usage.reasoning_tokens),
            _count(usage.cache_read_tokens),
            _count(usage.cache_write_tokens),
            usage.source == "estimated",
            None if amount is None else stored(amount),
            entry.cost.source,
            entry.cost.estimated,
            entry.unpriced,
            stored(entry.prompt_savings),
            stored(entry.response_savings),
        ),
    )
    assert cursor.lastrowid is not None
    for tag in dict.fromkeys(entry.tags):
        connection.execute("INSERT INTO attempt_tags VALUES (?, ?)", (tag, cursor.lastrowid))
    return cursor.lastrowid


def _count(tokens: int | None) -> int | None:
    return None if tokens is None else min(tokens, MAX_TOKENS)

"""Budgets in the database, and what the ledger says was spent."""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from sidecar.schema.budgets import MAX_BUDGETS, BudgetParams
from sidecar.storage.summaries import HALF_BITS, LOW_HALF

if TYPE_CHECKING:
    from sqlite3 import Connection

log: Final = logging.getLogger(__name__)


class Span(Struct, frozen=True):
    """The attempts of a day and all later ones, as in 2026-11-22, of one tag if given."""

    since: str
    tag: str | None


class Tally(Struct, frozen=True):
    """What attempts cost, in picodollars, and of how many that is unknown."""

    spent: int = 0
    unpriced: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.spent + other.spent, self.unpriced + other.unpriced)


class Books(Struct, frozen=True):
    """What a database says: all budgets, and for each span what follows the attempts that it was asked beyond.

    `home` is its file, empty for memory; `last` is the latest attempt that was counted.
    """

    home: str
    budgets: list[BudgetParams]
    tallies: dict[Span, Tally]
    last: int


def books(connection: "Connection", span_of: Callable[[BudgetParams], Span], beyond: Mapping[Span, int]) -> Books:
    """Read the budgets, and add up the attempts of their spans and of those that are given, beyond the given ones."""
    budgets = _budgets(connection)
    spans = {span_of(budget): 0 for budget in budgets} | dict(beyond)
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM attempts").fetchone()
    return Books(_home(connection), budgets, {span: _tally(connection, span, spans[span]) for span in spans}, last)


def save(connection: "Connection", budget: BudgetParams) -> None:
    """Keep a budget in place of one with its id, unless there are too many others."""
    connection.execute(
        "INSERT OR REPLACE INTO budgets SELECT ?1, ?2"
        " WHERE (SELECT count(*) FROM budgets WHERE id != ?1 AND length(definition) > 0) < ?3",
        (budget.id, msgspec.json.encode(budget), MAX_BUDGETS),
    )


def remove(connection: "Connection", id_: str) -> None:
    """Forget a budget; memory notes that it is gone, for the file that its rows may be taken to."""
    connection.execute("DELETE FROM budgets WHERE id = ?", (id_,))
    if not _home(connection):
        connection.execute("INSERT INTO budgets VALUES (?, x'')", (id_,))


def _budgets(connection: "Connection") -> list[BudgetParams]:
    rows = connection.execute("SELECT id, definition FROM budgets WHERE length(definition) > 0")
    return [budget for id_, definition in rows if (budget := _read(id_, definition))]


def _read(id_: str, definition: bytes) -> BudgetParams | None:
    try:
        return msgspec.json.decode(definition, type=BudgetParams)
    except msgspec.DecodeError:
        log.warning("the budget %s cannot be read, and does not count", id_)
        return None


def _tally(connection: "Connection", span: Span, after: int) -> Tally:
    tagged = "AND id IN (SELECT attempt FROM attempt_tags WHERE tag = ?)" if span.tag is not None else ""
    high, low, unpriced = connection.execute(
        f"SELECT sum(cost >> {HALF_BITS}), sum(cost & {LOW_HALF}), sum(unpriced)"  # noqa: S608 - numbers
        f" FROM attempts WHERE id > ? AND day >= ? {tagged}",
        (after, span.since, *([] if span.tag is None else [span.tag])),
    ).fetchone()
    return Tally(((high or 0) << HALF_BITS) + (low or 0), unpriced or 0)


def _home(connection: "Connection") -> str:
    _, _, file = connection.execute("PRAGMA database_list").fetchone()
    return str(file)

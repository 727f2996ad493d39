"""Budgets in a database, and what its ledger says of them."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from entries import ENTRIES, NOON, day, entry
from hypothesis import given
from hypothesis import strategies as st

from sidecar.schema.budgets import MAX_BUDGETS, BudgetParams
from sidecar.schema.usage import Cost
from sidecar.storage.budgets import Books, Span, Tally, books, remove, save
from sidecar.storage.connections import connect
from sidecar.storage.ledger import Entry, _insert
from sidecar.storage.money import stored

ALWAYS = Span("", None)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = connect(None, 1)
    yield connection
    connection.close()


def budget(id_: str = "b", amount: str | None = "5", tag: str | None = None) -> BudgetParams:
    return BudgetParams(id=id_, amount=amount, tag=tag)


def span(params: BudgetParams) -> Span:
    return Span(day(0), params.tag)


def read(connection: sqlite3.Connection, *beyond: tuple[Span, int]) -> Books:
    return books(connection, span, dict(beyond))


def kept(connection: sqlite3.Connection) -> list[BudgetParams]:
    return sorted(read(connection).budgets, key=lambda one: one.id)


def test_an_empty_database_has_nothing_to_tell(connection: sqlite3.Connection) -> None:
    assert read(connection) == Books("", [], {}, 0)
    assert read(connection, (ALWAYS, 0)) == Books("", [], {ALWAYS: Tally()}, 0)


def test_budgets_are_kept_as_they_are_set(connection: sqlite3.Connection) -> None:
    whole = BudgetParams(id="a", amount="0.000000000001", period="week", tag="work", warn_at=0.5)
    for params in (whole, budget(amount="1"), budget(amount="2")):
        save(connection, params)
    assert kept(connection) == [whole, budget(amount="2")]


def test_a_budget_that_is_removed_is_gone(connection: sqlite3.Connection) -> None:
    save(connection, budget())
    remove(connection, "b")
    remove(connection, "unheard of")
    assert kept(connection) == []
    save(connection, budget())
    assert kept(connection) == [budget()]


def test_there_are_so_many_and_no_more(connection: sqlite3.Connection) -> None:
    wanted = [budget(f"{number:03}") for number in range(MAX_BUDGETS)]
    for params in [*wanted, budget("one too many"), budget("000", "7")]:
        save(connection, params)
    assert kept(connection) == [budget("000", "7"), *wanted[1:]]
    remove(connection, "001")
    save(connection, budget("999"))
    assert kept(connection)[-1] == budget("999")


def test_what_cannot_be_read_is_passed_over_and_told(
    connection: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    save(connection, budget())
    connection.execute("INSERT INTO budgets VALUES ('bad', x'7b')")
    assert kept(connection) == [budget()]
    assert caplog.messages == ["the budget bad cannot be read, and does not count"]


def test_attempts_count_from_a_day_on_and_for_their_tags(connection: sqlite3.Connection) -> None:
    for ago, tags, cost in ((0, ("a", "b"), "1"), (1, ("a",), "0.2"), (2, ("b",), "0.03"), (0, (), None)):
        _insert(connection, entry(at=NOON - timedelta(days=ago), tags=tags, cost=Cost(amount=cost)))
    save(connection, budget(tag="b"))
    told = read(connection, (ALWAYS, 0), (Span(day(1), "a"), 0))
    dollar = 10**12
    assert told.tallies == {
        ALWAYS: Tally(dollar * 123 // 100, 1),
        Span(day(1), "a"): Tally(dollar * 12 // 10, 0),
        Span(day(0), "b"): Tally(dollar, 0),
    }


def test_only_what_is_beyond_the_last_known_attempt_is_added_up(connection: sqlite3.Connection) -> None:
    _insert(connection, entry())
    first = read(connection, (ALWAYS, 0))
    assert first.last == 1
    assert read(connection, (ALWAYS, 1)) == Books("", [], {ALWAYS: Tally()}, 1)
    _insert(connection, entry())
    assert read(connection, (ALWAYS, 1)).tallies == first.tallies


@given(st.lists(ENTRIES, max_size=20), st.sampled_from([None, "one", "two"]), st.integers(0, 100), st.integers(0, 20))
def test_sums_are_exact(entries: list[Entry], tag: str | None, ago: int, after: int) -> None:
    connection = connect(None, 1)
    for one in entries:
        _insert(connection, one)
    counted = [one for one in entries[after:] if one.at.astimezone().date().isoformat() >= day(ago)]
    counted = [one for one in counted if tag is None or tag in one.tags]
    expected = Tally(
        sum(stored(one.cost.amount) for one in counted if one.cost.amount is not None),
        sum(one.unpriced for one in counted),
    )
    asked = Span(day(ago), tag)
    assert books(connection, span, {asked: after}).tallies == {asked: expected}
    connection.close()


def test_the_sum_of_large_amounts_does_not_overflow(connection: sqlite3.Connection) -> None:
    for _ in range(4):
        _insert(connection, entry(cost=Cost(amount="4000000")))
    assert read(connection, (ALWAYS, 0)).tallies == {ALWAYS: Tally(int(Decimal("16e18")), 0)}


def test_a_file_tells_that_it_is_one_and_forgets_what_is_removed(tmp_path: Path) -> None:
    connection = connect(tmp_path / "data.sqlite3", 1)
    save(connection, budget())
    remove(connection, "b")
    assert read(connection).home == str(tmp_path / "data.sqlite3")
    assert connection.execute("SELECT count(*) FROM budgets").fetchone() == (0,)
    connection.close()


def test_memory_notes_what_is_removed_for_the_file_that_it_stands_in_for(connection: sqlite3.Connection) -> None:
    remove(connection, "b")
    assert connection.execute("SELECT id, length(definition) FROM budgets").fetchall() == [("b", 0)]
    assert kept(connection) == []

"""The ledger takes every entry, as far back as it goes."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from entries import NOON, day, entry
from inline_database import InlineDatabase

from sidecar.schema.ledger import StorageState, UsageQuery
from sidecar.schema.usage import Cost, Usage
from sidecar.storage import ledger as module
from sidecar.storage.database import Database
from sidecar.storage.ledger import Ledger

pytestmark = pytest.mark.anyio


async def days(ledger: Ledger) -> dict[str | None, int]:
    found = await ledger.summary(UsageQuery(group_by=["day"]))
    return {group.day: group.attempts for group in found.groups}


async def raw(database: Database) -> list[tuple[Any, ...]]:
    return await database.ask(lambda connection: connection.execute("SELECT * FROM attempts").fetchall())


async def test_a_row_has_everything_that_is_known() -> None:
    database = InlineDatabase()
    usage = Usage(input_tokens=9, output_tokens=8, reasoning_tokens=7, cache_read_tokens=6, cache_write_tokens=5)
    cost = Cost(amount="0.000000000001", source="provider", estimated=True)
    Ledger(database).enter(entry(outcome="error", error_type="timeout", usage=usage, cost=cost, tags=("a", "b", "a")))
    (row,) = await raw(database)
    at = int(NOON.timestamp() * 1000)
    words = (1, at, day(0), "chat", "p", "k", "m", "error", "timeout", 0, 5)
    assert row == (*words, 9, 8, 7, 6, 5, 0, 1, "provider", 1, 0, 0, 0)
    tags = await database.ask(lambda connection: connection.execute("SELECT * FROM attempt_tags").fetchall())
    assert tags == [("a", 1), ("b", 1)]


async def test_watchers_see_an_entry_at_once() -> None:
    ledger = Ledger(InlineDatabase())
    seen: list[object] = []
    ledger.watchers.append(seen.append)
    ledger.enter(one := entry())
    assert seen == [one]


@pytest.mark.parametrize(
    ("fields", "unpriced"),
    [
        ({}, False),
        ({"cost": Cost(amount=None)}, True),
        ({"cost": Cost(amount=None), "usage": None}, True),
        ({"cost": Cost(amount=None), "outcome": "cancelled"}, True),
        ({"cost": Cost(amount=None), "outcome": "error", "usage": None}, False),
    ],
)
def test_what_costs_something_unknown_is_unpriced(fields: dict[str, Any], unpriced: bool) -> None:  # noqa: FBT001
    assert entry(**fields).unpriced is unpriced


async def test_a_summary_tells_where_the_ledger_is() -> None:
    summary = await Ledger(InlineDatabase()).summary(UsageQuery())
    assert (summary.groups, summary.truncated, summary.storage) == ([], False, StorageState("memory"))


async def test_what_is_too_old_does_not_count_and_goes_with_new_entries_bit_by_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PRUNED", 2)
    database = InlineDatabase()
    for ago in (12, 12, 12, 9, 0):  # a day off on both sides: midnight may come meanwhile
        Ledger(database, days=1000).enter(entry(at=NOON - timedelta(days=ago), tags=("t",)))
    ledger = Ledger(database, days=10)
    assert await days(ledger) == {day(9): 1, day(0): 1}
    left = []
    for _ in range(2):
        ledger.enter(entry())
        left.append(len(await raw(database)))
    assert left == [4, 4]  # one more each time, and less by two, then by one
    (tags,) = await database.ask(lambda connection: connection.execute("SELECT count(*) FROM attempt_tags").fetchone())
    assert tags == 2


async def test_a_ledger_may_go_back_for_ever() -> None:
    ledger = Ledger(InlineDatabase(), days=2**53)
    ledger.enter(entry())
    assert await days(ledger) == {day(0): 1}


async def test_memory_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IN_MEMORY", 3)
    database = InlineDatabase()
    ledger = Ledger(database)
    for number in range(5):
        ledger.enter(entry(model=str(number)))
    found = await ledger.summary(UsageQuery(group_by=["model"]))
    assert [group.model for group in found.groups] == ["2", "3", "4"]


async def test_the_file_does_not_forget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IN_MEMORY", 3)
    with anyio.fail_after(30):
        database = Database(tmp_path)
        ledger = Ledger(database)
        for _ in range(5):
            ledger.enter(entry())
        assert await days(ledger) == {day(0): 5}
        await database.close(10)


async def test_nonsense_counts_are_cut() -> None:
    ledger = Ledger(InlineDatabase())
    for _ in range(3):
        ledger.enter(entry(usage=Usage(input_tokens=2**80, output_tokens=2**62)))
    total = (await ledger.summary(UsageQuery())).total
    assert (total.input_tokens, total.output_tokens) == (3 * module.MAX_TOKENS, 3 * module.MAX_TOKENS)


async def test_entries_of_a_lost_file_and_of_memory_are_one_ledger_in_the_end(tmp_path: Path) -> None:
    with anyio.fail_after(30):
        database = Database(tmp_path, busy_ms=1)
        ledger = Ledger(database)
        ledger.enter(entry(tags=("a",)))
        await database.ask(lambda _: None)
        holder = sqlite3.connect(tmp_path / "data-llm-sidecar.sqlite3", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        ledger.enter(entry(tags=("b",)))
        ledger.enter(entry(tags=("b", "c")))
        summary = await ledger.summary(UsageQuery())
        assert (summary.total.attempts, summary.storage.state) == (2, "memory")
        holder.execute("COMMIT")
        holder.close()
        database._retry_at = 0.0
        summary = await ledger.summary(UsageQuery(group_by=["tag"]))
        assert {group.tag: group.attempts for group in summary.groups} == {"a": 1, "b": 2, "c": 1}
        assert (summary.total.attempts, summary.storage) == (3, StorageState("disk"))
        await database.close(10)

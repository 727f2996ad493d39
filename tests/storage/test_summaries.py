"""Sums of the ledger are what plain reckoning makes of the same entries."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal, localcontext
from itertools import product
from typing import Any, get_args

import pytest
from entries import ENTRIES, day, entry
from hypothesis import given
from hypothesis import strategies as st

from sidecar.schema.ledger import Grouping, Savings, UsageGroup, UsageQuery
from sidecar.schema.usage import Cost, Usage
from sidecar.storage.connections import connect
from sidecar.storage.ledger import Entry, _insert
from sidecar.storage.summaries import GROUPINGS, SOURCES, summarised

FIRST = "0001-01-01"
CERTAINTY = ("unknown", "table", "user", "provider", "free", "cache")


def ledger_of(entries: Iterable[Entry]) -> sqlite3.Connection:
    connection = connect(None, 0)
    for each in entries:
        _insert(connection, each)
    return connection


def summary(entries: Iterable[Entry], **query: Any) -> tuple[list[UsageGroup], UsageGroup, bool]:
    connection = ledger_of(entries)
    try:
        return summarised(connection, UsageQuery(**query), FIRST)
    finally:
        connection.close()


def reckoned(entries: list[Entry]) -> dict[str, Any]:
    """Return the counts and the amounts of a group in plain Python."""
    usages = [each.usage or Usage() for each in entries]
    priced = [each.cost for each in entries if each.cost.amount is not None]
    unpriced = sum(each.unpriced for each in entries)
    sources = [cost.source for cost in priced] or ["free"]
    tokens = ("input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_tokens")
    return {
        "attempts": len(entries),
        "failed": sum(each.outcome == "error" for each in entries),
        "cancelled": sum(each.outcome == "cancelled" for each in entries),
        "cached": sum(each.cached for each in entries),
        "estimated": sum(usage.source == "estimated" for usage in usages),
        "unpriced": unpriced,
        **{name: sum(getattr(usage, name) or 0 for usage in usages) for name in tokens},
        "cost": Cost(amount=None)
        if unpriced and not priced
        else Cost(
            amount=text(Decimal(cost.amount or 0) for cost in priced),
            source=min(sources, key=CERTAINTY.index),
            estimated=any(cost.estimated for cost in priced),
        ),
        "savings": Savings(
            prompt_cache=text(each.prompt_savings for each in entries),
            response_cache=text(each.response_savings for each in entries),
        ),
    }


def text(amounts: Iterable[Decimal]) -> str:
    with localcontext(prec=60):
        return f"{sum(amounts, Decimal()).normalize():f}"


def values(each: Entry, grouping: Grouping) -> tuple[str | None, ...]:
    """Return what an entry counts for."""
    date = each.at.astimezone().date().isoformat()
    if grouping == "tag":
        return tuple(dict.fromkeys(each.tags)) or (None,)
    return ({"provider": each.provider, "model": each.model, "day": date, "month": date[:7]}[grouping],)


def grouped(entries: list[Entry], by: list[Grouping]) -> list[UsageGroup]:
    groups = defaultdict[tuple[str | None, ...], list[Entry]](list)
    for each in entries:
        for key in product(*(values(each, grouping) for grouping in by)):
            groups[key].append(each)
    order = sorted(groups, key=lambda key: [(value is not None, value) for value in key])
    return [UsageGroup(**dict(zip(by, key, strict=True)), **reckoned(groups[key])) for key in order]


@given(st.lists(ENTRIES, max_size=20), st.lists(st.sampled_from(get_args(Grouping)), unique=True))
def test_any_grouping_is_a_plain_reckoning(entries: list[Entry], by: list[Grouping]) -> None:
    expected = grouped(entries, by) if by else []
    assert summary(entries, group_by=by) == (expected, UsageGroup(**reckoned(entries)), False)


@given(
    st.lists(ENTRIES, max_size=20),
    st.fixed_dictionaries(
        {},
        optional={
            "since": st.integers(0, 101).map(day),
            "until": st.integers(0, 101).map(day),
            "provider": st.sampled_from(["one", "two", "three"]),
            "model": st.sampled_from(["one", "x'; --"]),
            "tag": st.sampled_from(["one", "two", "three"]),
        },
    ),
)
def test_filters_choose_entries(entries: list[Entry], query: dict[str, str]) -> None:
    def wanted(each: Entry) -> bool:
        date = each.at.astimezone().date().isoformat()
        return (
            query.get("since", date) <= date <= query.get("until", date)
            and query.get("provider", each.provider) == each.provider
            and query.get("model", each.model) == each.model
            and ("tag" not in query or query["tag"] in each.tags)
        )

    chosen = [each for each in entries if wanted(each)]
    groups, total, _ = summary(entries, group_by=["tag", "model"], **query)
    assert (groups, total) == (grouped(chosen, ["tag", "model"]), UsageGroup(**reckoned(chosen)))


def test_no_more_groups_come_than_wanted_and_the_total_is_of_all() -> None:
    entries = [entry(model=name) for name in "cab"]
    groups, total, truncated = summary(entries, group_by=["model"], limit=2)
    assert ([group.model for group in groups], total.attempts, truncated) == (["a", "b"], 3, True)
    assert summary(entries, group_by=["model"], limit=3)[2] is False


def test_what_is_named_twice_groups_once() -> None:
    assert summary([entry()], group_by=["model", "model"]) == summary([entry()], group_by=["model"])


def test_nothing_costs_nothing() -> None:
    groups, total, _ = summary([], group_by=["provider"])
    assert (groups, total.attempts, total.cost) == ([], 0, Cost(amount="0", source="free"))


def test_what_did_not_arrive_costs_nothing_and_what_did_costs_something_unknown() -> None:
    failed = entry(outcome="error", usage=None, cost=Cost(amount=None))
    answered = entry(cost=Cost(amount=None))
    assert summary([failed])[1].cost == Cost(amount="0", source="free")
    total = summary([failed, answered])[1]
    assert (total.cost, total.unpriced) == (Cost(amount=None), 1)
    total = summary([failed, answered, entry()])[1]
    assert (total.cost, total.unpriced) == (Cost(amount="0.25", source="table"), 1)


def test_sums_may_be_larger_than_any_amount() -> None:
    entries = [entry(cost=Cost(amount="4000000", source="provider")) for _ in range(9)]
    assert summary(entries)[1].cost.amount == "36000000"


def test_what_is_older_than_the_ledger_goes_back_does_not_count() -> None:
    connection = ledger_of([entry(at=entry().at.replace(year=2020)), entry()])
    for query in (UsageQuery(), UsageQuery(since="2019-01-01")):
        assert summarised(connection, query, day(1))[1].attempts == 1
    connection.close()


def test_every_grouping_and_every_source_has_its_words() -> None:
    assert set(GROUPINGS) == set(get_args(Grouping))
    assert set(SOURCES) == set(get_args(Cost.__annotations__["source"])) == set(CERTAINTY)


@pytest.mark.parametrize("query", [{"since": "2026-01-01", "until": "2026-01-31"}, {}])
def test_days_are_found_by_an_index(query: dict[str, str]) -> None:
    statements: list[str] = []
    connection = ledger_of([])
    connection.set_trace_callback(statements.append)
    summarised(connection, UsageQuery(**query), FIRST)
    connection.set_trace_callback(None)
    plans = [connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall() for statement in statements]
    connection.close()
    assert ["attempts_by_day" in str(plan) for plan in plans] == [True]

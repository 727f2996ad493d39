"""`usage.summary`, without a process."""

from typing import Any

import pytest
from caller import Caller
from entries import day, entry

from sidecar.methods.usage import METHODS
from sidecar.schema.usage import Cost

pytestmark = pytest.mark.anyio

COUNTS = {
    "attempts": 1,
    "failed": 0,
    "cancelled": 0,
    "cached": 0,
    "estimated": 0,
    "unpriced": 0,
    "input_tokens": 10,
    "output_tokens": 2,
    "reasoning_tokens": 0,
    "cache_read_tokens": 0,
    "cache_write_tokens": 0,
    "savings": {"prompt_cache": "0", "response_cache": "0", "currency": "USD"},
}


def cost(amount: str | None, source: str) -> dict[str, Any]:
    return {"amount": amount, "currency": "USD", "source": source, "estimated": False}


async def test_a_summary_is_by_groups_and_in_total(caller: Caller) -> None:
    caller.ledger.enter(entry(tags=("a", "b")))
    caller.ledger.enter(entry(cost=Cost(amount=None)))
    assert await caller.call("usage.summary", group_by=["tag", "day"]) == {
        "groups": [
            COUNTS | {"day": day(0), "unpriced": 1, "cost": cost(None, "unknown")},
            COUNTS | {"tag": "a", "day": day(0), "cost": cost("0.25", "table")},
            COUNTS | {"tag": "b", "day": day(0), "cost": cost("0.25", "table")},
        ],
        "total": COUNTS
        | {"attempts": 2, "unpriced": 1, "input_tokens": 20, "output_tokens": 4, "cost": cost("0.25", "table")},
        "truncated": False,
        "storage": {"state": "memory"},
    }


async def test_without_a_grouping_there_is_the_total_alone(caller: Caller) -> None:
    summary = await caller.call("usage.summary")
    assert (summary["groups"], summary["total"]["attempts"]) == ([], 0)


@pytest.mark.parametrize(
    "when", ["2026-02-31", "0000-01-01", "2026-13-01", "2026-11-2", "\u0662\u0660\u0662\u0666-11-22", "2026-11-22\n"]
)
@pytest.mark.parametrize("end", ["since", "until"])
async def test_there_must_be_such_a_day(caller: Caller, end: str, when: str) -> None:
    assert (await caller.error("usage.summary", **{end: when}))["data"]["type"] == "invalid_params"


async def test_the_first_day_comes_before_the_last(caller: Caller) -> None:
    error = await caller.error("usage.summary", since="2026-11-22", until="2026-11-21")
    assert (error["data"]["type"], error["message"]) == ("invalid_params", "2026-11-22 is later than 2026-11-21.")
    assert (await caller.call("usage.summary", since="2026-11-22", until="2026-11-22"))["groups"] == []


@pytest.mark.parametrize(
    "query", [{"group_by": ["colour"]}, {"group_by": [None]}, {"limit": 0}, {"limit": 10_001}, {"tag": ""}]
)
async def test_other_words_are_refused(caller: Caller, query: dict[str, Any]) -> None:
    assert (await caller.error("usage.summary", **query))["data"]["type"] == "invalid_params"


def test_it_has_no_place_in_a_batch() -> None:
    assert [row.batchable for row in METHODS] == [False]

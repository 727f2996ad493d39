import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.middleware.periods import ends_at, first_day
from sidecar.schema.budgets import Period

pytestmark = pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone cannot be chosen here")

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)  # a Sunday


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
    assert os.environ.get("TZ") != "Europe/Berlin"


@pytest.mark.parametrize(
    ("period", "first", "end"),
    [
        ("day", "2026-11-22", "2026-11-23T00:00:00+01:00"),
        ("week", "2026-11-16", "2026-11-23T00:00:00+01:00"),
        ("month", "2026-11-01", "2026-12-01T00:00:00+01:00"),
        ("total", "0001-01-01", None),
    ],
)
def test_periods_are_those_of_the_calendar(period: Period, first: str, end: str | None) -> None:
    assert (first_day(period, NOW), ends_at(period, NOW)) == (first, end)


def test_days_are_those_of_this_machine() -> None:
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert (first_day("day", late), first_day("month", late)) == ("2026-12-01", "2026-12-01")


def test_a_day_ends_at_midnight_also_when_the_clock_is_changed() -> None:
    assert ends_at("day", datetime(2026, 3, 28, 12, tzinfo=UTC)) == "2026-03-29T00:00:00+01:00"
    assert ends_at("day", datetime(2026, 3, 29, 12, tzinfo=UTC)) == "2026-03-30T00:00:00+02:00"
    assert ends_at("month", datetime(2026, 12, 31, 12, tzinfo=UTC)) == "2027-01-01T00:00:00+01:00"


@given(st.sampled_from(get_args(Period)), st.integers(0, 100 * 366 * 24 * 3600))
def test_one_period_ends_where_the_next_begins(period: Period, seconds: int) -> None:
    now = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    first, end = date.fromisoformat(first_day(period, now)), ends_at(period, now)
    assert first <= now.astimezone().date()
    if end is None:
        assert period == "total"
        return
    following = datetime.fromisoformat(end)
    assert now < following
    assert first_day(period, following) == following.date().isoformat()
    assert first_day(period, following - timedelta(seconds=1)) == first.isoformat()

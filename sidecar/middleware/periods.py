"""When a budget's period began, and when the next one does, in the machine's calendar; pure."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from sidecar.schema.budgets import Period

FIRST_DAY: Final = date.min
WEEK: Final = timedelta(days=7)
MORE_THAN_A_MONTH: Final = timedelta(days=32)


def _month(day: date) -> date:
    return day.replace(day=1)


def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


STARTS: Final[dict[Period, Callable[[date], date]]] = {
    "day": lambda day: day,
    "week": _week,
    "month": _month,
    "total": lambda _: FIRST_DAY,
}
NEXT: Final[dict[Period, Callable[[date], date]]] = {
    "day": lambda first: first + timedelta(days=1),
    "week": lambda first: first + WEEK,
    "month": lambda first: _month(first + MORE_THAN_A_MONTH),
}


def first_day(period: Period, now: datetime) -> str:
    """Return the day on which the period of a time began."""
    return _first_day(period, now.astimezone().date())


@lru_cache(16)
def _first_day(period: Period, today: date) -> str:
    return STARTS[period](today).isoformat()


def ends_at(period: Period, now: datetime) -> str | None:
    """Return when the period of a time ends; None where it never does."""
    following = NEXT.get(period)
    if following is None:
        return None
    day = following(STARTS[period](now.astimezone().date()))
    return datetime.combine(day, time.min).astimezone().isoformat()

"""What the headers of an answer say of rate limits.

https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers,
https://docs.claude.com/en/api/rate-limits#response-headers
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Final, Literal

from msgspec import Struct

from sidecar.dialects.response_headers import HTTP_DATE

Quantity = Literal["requests", "tokens", "input_tokens", "output_tokens"]

MAX_RESET_S: Final = 31 * 24 * 3600.0
"""A quota that comes back later than in a month is none of requests or tokens."""

DURATION: Final = re.compile(r"(?:\d+(?:\.\d*)?(?:h|ms|us|µs|ns|m|s))+")
STEP: Final = re.compile(r"(\d+(?:\.\d*)?)(h|ms|us|µs|ns|m|s)")
SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
"""https://pkg.go.dev/time#ParseDuration"""


Part = Literal["limit", "remaining", "reset"]

MARK: Final = "-ratelimit-"
"""What stands in the headers' names behind the name of a vendor, or behind an `x`."""

PARTS: Final[tuple[Part, ...]] = ("limit", "remaining", "reset")
QUANTITIES: Final[tuple[Quantity, ...]] = ("requests", "tokens", "input_tokens", "output_tokens")
NAMES: Final[dict[str, tuple[Quantity, Part]]] = {
    name: (quantity, part)
    for quantity in QUANTITIES
    for part in PARTS
    for words in [quantity.replace("_", "-")]
    for name in (f"{part}-{words}", f"{words}-{part}")
}
"""What the ends of names mean: some put the quantity last, some what is said of it."""


class Allowance(Struct, frozen=True):
    """What is left of a quantity, out of how much if that is known, and in how many seconds all of it is back."""

    remaining: int
    limit: int | None
    reset_s: float


def allowances(headers: Mapping[str, str]) -> dict[Quantity, Allowance]:
    """Return what is said, names in lower case; what makes no sense is left out, such as a limit of 0 or -1."""
    said: dict[Quantity, dict[Part, str]] = {}
    for name, value in headers.items():
        if MARK not in name:
            continue
        vendor, _, end = name.partition(MARK)
        if "-" not in vendor and end in NAMES:
            quantity, part = NAMES[end]
            said.setdefault(quantity, {})[part] = value
    found: dict[Quantity, Allowance] = {}
    for quantity, parts in said.items():
        if allowance := _allowance(parts, headers.get("date", "")):
            found[quantity] = allowance
    return found


def _allowance(parts: Mapping[Part, str], date: str) -> Allowance | None:
    remaining, reset_s = _count(parts.get("remaining", "")), _seconds(parts.get("reset", ""), date)
    limit = _count(parts["limit"]) or 0 if "limit" in parts else None
    if remaining is None or reset_s is None or (limit is not None and not 0 < limit >= remaining):
        return None
    return Allowance(remaining, limit, reset_s)


def _count(text: str) -> int | None:
    """Return a whole number from 0 on; some are written with a fraction."""
    number = _number(text)
    return None if number is None else int(number)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) and number >= 0 else None


def _seconds(reset: str, date: str) -> float | None:
    """Return in how many seconds a time is that is given as a duration, in seconds, or as a date.

    A date counts from the response's own, so that clocks need not agree.
    """
    seconds = _number(reset)
    if seconds is None:
        seconds = _duration(reset) if DURATION.fullmatch(reset) else _until(reset, date)
    return seconds if seconds is not None and seconds <= MAX_RESET_S else None


def _duration(text: str) -> float:
    return sum(float(number) * SECONDS[unit] for number, unit in STEP.findall(text))


def _until(then: str, now: str) -> float | None:
    start, end = _moment(now), _moment(then)
    return None if start is None or end is None else max(0.0, (end - start).total_seconds())


@lru_cache(maxsize=16)
def _moment(text: str) -> datetime | None:
    """Return a date as in RFC 3339 or as in HTTP."""
    for read in (datetime.fromisoformat, _http_date):
        try:
            moment = read(text)
        except ValueError:
            continue
        return moment if moment.tzinfo else None
    return None


def _http_date(text: str) -> datetime:
    return datetime.strptime(text, HTTP_DATE).replace(tzinfo=UTC)

"""The packaged price tables, one a provider, rendered from https://github.com/pydantic/genai-prices"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from sidecar.catalog.rules import Rule

DATA: Final = Path(__file__).parent / "data"

MAX_FOUND: Final = 256
"""Of how many models it is remembered where the tables have them; to find one takes a tenth of a millisecond."""

COMPACT_DATE: Final = re.compile(r"-(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")
"""A date as gateways write it in ids; makers put hyphens into it."""


class Tier(Struct, frozen=True, array_like=True):
    """The rate of all tokens of a request with more than `above` input tokens."""

    above: int
    rate: Decimal


class Tiered(Struct, frozen=True):
    """A rate that depends on the length of the question; tiers ascend."""

    base: Decimal
    tiers: tuple[Tier, ...]


Rate = Decimal | Tiered


class Price(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """US dollars per million tokens, `request` being a fee for each request.

    It holds from the day `since` on, or between the two hours `daily` of every day, UTC; always where there is neither.
    """

    since: date | None = None
    daily: tuple[time, time] | None = None
    input: Rate | None = None
    output: Rate | None = None
    cache_read: Rate | None = None
    cache_write: Rate | None = None
    cache_write_1h: Rate | None = None
    reasoning: Rate | None = None
    input_audio: Rate | None = None
    output_audio: Rate | None = None
    request: Decimal | None = None

    def holds(self, at: datetime) -> bool:
        """Tell whether this is a price at that time."""
        if self.daily is None:
            return self.since is None or at.date() >= self.since
        start, end = self.daily
        now = at.time()
        return start <= now < end if start <= end else now >= start or now < end


class Listed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model of a price table; of several prices that hold, the last one counts, the first one where none does."""

    id: str
    rule: Rule
    name: str | None = None
    context_length: int | None = None
    deprecated: bool = False
    prices: tuple[Price, ...] = ()

    def price(self, at: datetime) -> Price | None:
        """Return the price at that time; None where tokens have none."""
        found = next((price for price in reversed(self.prices) if price.holds(at)), None)
        found = found or next(iter(self.prices), None)
        return found if found and found.input is not None else None


class Table(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A provider's models, the first that matches counting. `also` names tables of makers whose models it hosts."""

    source: str = ""
    also: tuple[str, ...] = ()
    models: tuple[Listed, ...] = ()


@cache
def table(kind: str) -> Table:
    """Return the table of a provider, read when it is first asked for; an empty one where there is none."""
    try:
        return msgspec.json.decode((DATA / f"{kind}.json").read_bytes(), type=Table)
    except FileNotFoundError:
        return Table()


@lru_cache(MAX_FOUND)
def listed(kind: str, model: str) -> Listed | None:
    """Return what the tables say of a model."""
    id_ = model.lower()
    found = _listed(kind, id_)
    if found is None and (dated := COMPACT_DATE.sub(_hyphenated, id_)) != id_:
        found = _listed(kind, dated)
    return found


def price_of(kind: str, model: str, at: datetime) -> Price | None:
    """Return what a model costs at a time, or None where that is unknown."""
    found = listed(kind, model)
    return found.price(at.astimezone(UTC)) if found else None


def _listed(kind: str, model: str) -> Listed | None:
    return next((one for one in _candidates(kind) if one.rule.matches(model)), None)


def _candidates(kind: str) -> Iterator[Listed]:
    own = table(kind)
    yield from own.models
    for maker in own.also:
        yield from table(maker).models


def _hyphenated(found: re.Match[str]) -> str:
    year, month, day = found.groups()
    try:
        return f"-{date(int(year), int(month), int(day))}"
    except ValueError:
        return found.group()

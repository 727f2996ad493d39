"""What token counts cost."""

from decimal import Decimal
from typing import Any, Final

from msgspec.structs import asdict, replace

from sidecar.amounts import written
from sidecar.catalog.prices import Price, Rate, Tier, Tiered
from sidecar.schema.models import LongContextRates, ModelPrice
from sidecar.schema.usage import Usage

PER: Final = 1_000_000

COUNTS: Final = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "reasoning": "reasoning_tokens",
}
"""The count in `Usage` that each rate is for."""

PART_OF: Final = {"cache_read": "input", "cache_write": "input", "cache_write_1h": "cache_write", "reasoning": "output"}
"""The greater count that includes a count; what has no rate of its own stays in it."""


def cost_of(price: Price, usage: Usage) -> Decimal | None:
    """Return the cost in US dollars; None where something has a price but no count, or a count but no price."""
    if not _complete(price, usage):
        return None
    counts = {rate: getattr(usage, count) or 0 for rate, count in COUNTS.items() if getattr(price, rate) is not None}
    rest = dict(counts)
    for rate, count in counts.items():
        if rate in PART_OF:
            rest[PART_OF[rate]] -= count
    total = usage.input_tokens or 0
    cost = sum((rate_at(getattr(price, rate), total) * max(0, count) for rate, count in rest.items()), Decimal())
    return cost / PER + (price.request or 0)


def prompt_savings(price: Price, usage: Usage) -> Decimal | None:
    """Return how much less tokens cost than without a prompt cache: less than nothing where writing to it cost more."""
    paid = cost_of(price, usage)
    plain = cost_of(price, replace(usage, cache_read_tokens=None, cache_write_tokens=None, cache_write_1h_tokens=None))
    return None if paid is None or plain is None else plain - paid


def rate_at(rate: Rate, input_tokens: int) -> Decimal:
    """Return the rate for a request with so many input tokens."""
    if not isinstance(rate, Tiered):
        return rate
    reached = (tier.rate for tier in reversed(rate.tiers) if input_tokens > tier.above)
    return next(reached, rate.base)


def shown(price: Price) -> ModelPrice:
    """Return a price as clients read it."""
    rates = {name: rate for name, rate in asdict(price).items() if isinstance(rate, Decimal | Tiered)}
    fee = rates.pop("request", None)
    tiers = {name: rate for name, rate in rates.items() if isinstance(rate, Tiered)}
    borders = sorted({tier.above for rate in tiers.values() for tier in rate.tiers})
    return ModelPrice(
        source="table",
        request=None if fee is None else written(rate_at(fee, 0)),
        long_context=[
            LongContextRates(above=above, **{name: written(rate_at(rate, above + 1)) for name, rate in tiers.items()})
            for above in borders
        ],
        **{name: written(rate_at(rate, 0)) for name, rate in rates.items()},
    )


def price_of_list(price: ModelPrice) -> Price:
    """Return a price that clients read as one to reckon with: the reverse of `shown`."""
    rates: dict[str, Any] = {name: _rate(name, price) for name in COUNTS if getattr(price, name) is not None}
    return Price(**rates, request=None if price.request is None else Decimal(price.request))


def _rate(name: str, price: ModelPrice) -> Rate:
    base = Decimal(getattr(price, name))
    told = [(step.above, getattr(step, name)) for step in sorted(price.long_context, key=lambda step: step.above)]
    tiers = tuple(Tier(above, Decimal(rate)) for above, rate in told if rate is not None)
    return Tiered(base, tiers) if tiers else base


def _complete(price: Price, usage: Usage) -> bool:
    if usage.input_tokens is None or price.input is None:
        return False
    if price.output is None:
        return not usage.output_tokens
    return usage.output_tokens is not None or price.output == 0

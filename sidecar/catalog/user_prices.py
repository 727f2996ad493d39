"""What the host knows of prices: `[[prices]]` in the configuration file."""

from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Final

from msgspec import Meta, Struct
from msgspec.structs import asdict

from sidecar.amounts import written
from sidecar.schema.models import LongContextRates, ModelPrice

MAX_RATE: Final = 10**9
MAX_DECIMALS: Final = 12


class UserRates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars per million tokens, as numbers or strings. What has no rate of its own costs what it is part of."""

    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None

    def __post_init__(self) -> None:
        for name, rate in amounts(self).items():
            if not (rate.is_finite() and 0 <= rate <= MAX_RATE and round(rate, MAX_DECIMALS) == rate):
                raise ValueError(f"`{name}` must be 0 to {MAX_RATE} US dollars with at most {MAX_DECIMALS} decimals")


class UserStep(UserRates, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rates of a request with more than `above` input tokens, where they differ; they hold for all its tokens."""

    above: Annotated[int, Meta(ge=0)]
    input: Decimal | None = None


class UserPrice(UserRates, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What some models cost. `provider` and `model` are ids, or patterns with `*`, `?` and `[…]`; case is ignored.

    `request` is what each request costs beside its tokens, in US dollars.
    """

    provider: str
    model: str
    input: Decimal
    request: Decimal | None = None
    long_context: list[UserStep] = []

    def matches(self, provider: str, model: str) -> bool:
        """Tell whether this is the price of a provider's model."""
        return _like(provider, self.provider) and _like(model, self.model)

    def shown(self) -> ModelPrice:
        """Return the price as clients read it."""
        steps = [LongContextRates(above=step.above, **_written(step)) for step in self.long_context]
        return ModelPrice(source="user", long_context=steps, **_written(self))


def amounts(rates: UserRates) -> dict[str, Decimal]:
    """Return the rates that are given."""
    return {name: rate for name, rate in asdict(rates).items() if isinstance(rate, Decimal)}


def _written(rates: UserRates) -> dict[str, str]:
    return {name: written(rate) for name, rate in amounts(rates).items()}


def _like(name: str, pattern: str) -> bool:
    name, pattern = name.lower(), pattern.lower()
    return name == pattern or fnmatchcase(name, pattern)

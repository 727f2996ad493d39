"""Prices of models in the protocol's unit: US dollars per million tokens, as decimal strings."""

from decimal import Decimal
from typing import Final

from msgspec import Raw

from sidecar.amounts import written
from sidecar.dialects.money import decimal
from sidecar.dialects.openai_chat.listing import Model, Override, Pricing
from sidecar.schema.models import LongContextRates, ModelPrice

MILLION: Final = Decimal(1_000_000)
HUNDREDTHS: Final = Decimal(10_000)
"""How many of the units in which some servers count, cents per hundred million tokens, make a dollar per million."""


def price_of(model: Model) -> ModelPrice | None:
    """Return what the server says that a model costs."""
    if model.prompt_text_token_price is not None:
        return ModelPrice(
            source="provider",
            input=_cents(model.prompt_text_token_price),
            output=_cents(model.completion_text_token_price),
            cache_read=_cents(model.cached_prompt_text_token_price),
        )
    return None if model.pricing is None else _by_token(model.pricing)


def _by_token(pricing: Pricing) -> ModelPrice | None:
    if _dollars(pricing.prompt) is None:
        told = decimal(pricing.input)
        return None if told is None else ModelPrice(source="provider", input=told, output=decimal(pricing.output))
    return ModelPrice(
        source="provider",
        input=_dollars(pricing.prompt),
        output=_dollars(pricing.completion),
        cache_read=_dollars(pricing.input_cache_read),
        cache_write=_dollars(pricing.input_cache_write),
        cache_write_1h=_dollars(pricing.input_cache_write_1h),
        reasoning=_dollars(pricing.internal_reasoning),
        input_audio=_dollars(pricing.audio),
        request=_plain(pricing.request),
        long_context=[_long(one) for one in pricing.overrides or () if one.min_prompt_tokens],
    )


def _long(override: Override) -> LongContextRates:
    return LongContextRates(
        above=(override.min_prompt_tokens or 1) - 1,
        input=_dollars(override.prompt),
        output=_dollars(override.completion),
        cache_read=_dollars(override.input_cache_read),
        cache_write=_dollars(override.input_cache_write),
    )


def _dollars(price: Raw) -> str | None:
    """Return a price per token as one per million; a negative one stands for a model that is chosen later."""
    told = decimal(price)
    return None if told is None else written(Decimal(told) * MILLION)


def _plain(price: Raw) -> str | None:
    told = decimal(price)
    return None if told is None or Decimal(told) == 0 else written(Decimal(told))


def _cents(price: float | None) -> str | None:
    return None if price is None else written(Decimal(str(price)) / HUNDREDTHS)

"""Tokens, money and time of a request."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

Outcome = Literal["ok", "error", "cancelled"]
Source = Literal["reported", "estimated"]
CostSource = Literal["provider", "table", "user", "free", "cache", "unknown"]


def _reported() -> Source:
    """Return the default, in a way that has it encoded."""
    return "reported"


class Usage(Struct, kw_only=True, omit_defaults=True):
    """Token counts. Totals are inclusive; `null` (left out) is unknown, `0` is zero.

    `input_tokens` counts uncached, cache-read and cache-written tokens; `output_tokens` includes `reasoning_tokens`.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    source: Source = field(default_factory=_reported)


class Cost(Struct, kw_only=True):
    """What a request cost. `amount` is a decimal string; an unknown price is `null`, never 0.

    The provider's own figure counts first (`provider`), then the packaged prices (`table`), then those of the host
    (`user`). What was answered from the response cache costs nothing (`cache`).
    """

    amount: str | None
    currency: str = "USD"
    source: CostSource = "unknown"
    estimated: bool = False


class Timing(Struct, kw_only=True):
    """Milliseconds from the request's arrival.

    Local models tell more: how long the answer waited for the model to be loaded, how long the part of the prompt took
    that was not known from before, and the answer itself from its first token on.
    """

    total_ms: int
    first_token_ms: int | None = None
    load_ms: int | UnsetType = UNSET
    prompt_ms: int | UnsetType = UNSET
    generation_ms: int | UnsetType = UNSET


class Attempt(Struct, kw_only=True, omit_defaults=True):
    """One try at one target. `cached` is true where the response cache answered, and the target was not asked."""

    provider: str
    model: str
    outcome: Outcome
    duration_ms: int
    error_type: str | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    cached: bool = False

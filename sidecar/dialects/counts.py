"""Token counts checked: totals include their parts."""

from typing import Final

from msgspec import Struct

from sidecar.schema.events import UsageDelta

Number = int | float | None
"""A token count; some servers send floats."""

MAX_COUNT: Final = 2**53 - 1
"""The greatest number that every reader of JSON tells from the next."""


class Counts(Struct, frozen=True, kw_only=True):
    """Inclusive totals and their parts, as a provider gave them."""

    input: Number = None
    output: Number = None
    reasoning: Number = None
    cache_read: Number = None
    cache_write: Number = None
    cache_write_1h: Number = None


def checked(counts: Counts) -> UsageDelta:
    """Return the counts as whole numbers that are not negative, no part greater than what it is part of."""
    input_tokens, output_tokens = whole(counts.input), whole(counts.output)
    read = _part(whole(counts.cache_read), input_tokens)
    rest = None if input_tokens is None else input_tokens - (read or 0)
    written = _part(whole(counts.cache_write), rest)
    return UsageDelta(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        reasoning_tokens=_part(whole(counts.reasoning), output_tokens),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=_part(whole(counts.cache_write_1h), written),
    )


def whole(number: Number) -> int | None:
    """Return a count that is not negative, nor too large to be passed on."""
    return None if number is None else int(min(max(0, number), MAX_COUNT))


def _part(part: int | None, total: int | None) -> int | None:
    return part if part is None or total is None else min(part, total)

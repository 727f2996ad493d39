"""What providers say that an answer cost, as decimal strings in US dollars, without loss."""

from decimal import Decimal, InvalidOperation
from typing import Final

from msgspec import Raw

from sidecar.amounts import written
from sidecar.dialects.counts import Number, whole

MAX_DIGITS: Final = 100
"""More digits make no amount; an exponent can stand for any number of them."""

TICK_DIGITS: Final = 10
"""A tick is 10⁻¹⁰ US dollars."""


def decimal(number: Raw) -> str | None:
    """Return a JSON number, or a number in a string; None where it is no amount, such as a negative one."""
    text = bytes(number).decode(errors="replace").strip('"')
    if not text or text == "null":
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return format(value, "f") if value.is_finite() and value >= 0 and abs(value.adjusted()) < MAX_DIGITS else None


def ticks(number: Number) -> str | None:
    """Return an amount that is counted in ticks."""
    counted = whole(number)
    return None if counted is None else written(Decimal(counted).scaleb(-TICK_DIGITS))

"""Amounts of money as the database holds them: integers, so that sums are exact."""

from decimal import Decimal
from typing import Final

from sidecar.amounts import written

PICO: Final = Decimal(10) ** 12
LARGEST: Final = 2**62
"""SQLite's integers have 64 bits; larger amounts are cut, to four million dollars."""


def stored(amount: Decimal | str) -> int:
    """Return US dollars as picodollars."""
    return max(-LARGEST, min(LARGEST, int((Decimal(amount) * PICO).to_integral_value())))


def shown(picodollars: int) -> str:
    """Return picodollars as a decimal string in dollars."""
    return written(Decimal(picodollars) / PICO)

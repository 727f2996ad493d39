"""Amounts of money as the protocol has them: decimal strings, since a float loses cents."""

from decimal import Decimal


def written(amount: Decimal) -> str:
    """Return an amount without an exponent, and without zeros at its end."""
    return f"{amount.normalize():f}"

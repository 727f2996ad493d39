"""Bytes, times and large numbers as people read them."""

from typing import Final

UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
STEP: Final = 1024
COUNTS: Final = (("T", 10**12), ("B", 10**9), ("M", 10**6), ("K", 10**3))
"""Short forms of large numbers, as the names of models have them."""


def size(count: float) -> str:
    """Return a number of bytes in the largest unit that it has one of."""
    scale = _scale(count)
    return f"{_in_unit(count, scale)} {UNITS[scale]}"


def progress(part: int, whole: int) -> str:
    """Return how much of something is there, both numbers in one unit."""
    scale = _scale(whole)
    return f"{_in_unit(part, scale)} of {_in_unit(whole, scale)} {UNITS[scale]}"


def share(part: float) -> str:
    """Return 0 to 1 as per cent, never more than is there: 100 % is all of it."""
    return f"{int(part * 100)} %"


def clock(ms: float) -> str:
    """Return a time as minutes and seconds, with hours where there are any."""
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def short(count: int) -> str:
    """Return a large number by its first digits."""
    unit, worth = next(((unit, worth) for unit, worth in COUNTS if count >= worth), ("", 1))
    digits = count / worth
    return f"{digits:.1f}{unit}" if unit and digits < 10 else f"{digits:.0f}{unit}"  # noqa: PLR2004 - two digits


def _scale(count: float) -> int:
    return next((at for at in range(len(UNITS)) if count < STEP ** (at + 1)), len(UNITS) - 1)


def _in_unit(count: float, scale: int) -> str:
    return f"{count / STEP**scale:,.1f}" if scale else f"{count:.0f}"

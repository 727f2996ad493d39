"""A limit per minute: in no 60 seconds is more taken than that; pure."""

from collections import deque
from typing import Final

from msgspec import Struct

WINDOW_S: Final = 60.0

GRAIN_S: Final = 1.0
"""What is taken within so long is forgotten together, so that a window holds few portions whatever the limit."""


class _Portion(Struct, eq=False):
    """What was taken from one time to another."""

    first: float
    last: float
    amount: int = 0


class Share(Struct, eq=False):
    """What one request has taken."""

    portion: _Portion
    amount: int

    def settle(self, amount: int) -> None:
        """Put right how much it was; it still counts from when it was taken."""
        self.portion.amount += amount - self.amount
        self.amount = amount


class Window:
    """What was taken in the last minute. Without a limit there is always room; more than the limit counts as that."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._portions: deque[_Portion] = deque()

    def counted(self, amount: int) -> int:
        """Return as how much a request counts that wants so much."""
        return amount if self.limit is None else min(amount, self.limit)

    def due(self, ahead: int, amount: int, now: float) -> float:
        """Return from when on so much may be taken, once what is ahead has been; that may be in the past."""
        if self.limit is None:
            return now
        self._forget(now)
        rounds, rest = divmod(ahead + self.counted(amount) - 1, self.limit)
        taken = sum(portion.amount for portion in self._portions)
        return self._freed(taken + rest + 1 - self.limit, now) + rounds * WINDOW_S

    def take(self, amount: int, now: float) -> Share:
        """Take so much; whether there is room was asked before."""
        self._forget(now)
        amount = self.counted(amount)
        portion = self._portions[-1] if self._portions else None
        if portion is None or now - portion.first >= GRAIN_S:
            portion = _Portion(now, now)
            self._portions.append(portion)
        portion.last = now
        portion.amount += amount
        return Share(portion, amount)

    def _forget(self, now: float) -> None:
        while self._portions and self._portions[0].last + WINDOW_S <= now:
            self._portions.popleft()

    def _freed(self, excess: int, now: float) -> float:
        """Return from when on so much of what was taken is forgotten."""
        when = now
        for portion in self._portions:
            if excess <= 0:
                break
            excess -= portion.amount
            when = portion.last + WINDOW_S
        return when

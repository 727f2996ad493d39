"""What was spent in a span of time: what the database has told, and what has come since; pure."""

from decimal import Decimal
from typing import Final, Literal

from sidecar.schema.budgets import BudgetParams
from sidecar.storage.budgets import Tally
from sidecar.storage.money import PICO

State = Literal["ok", "warning", "exceeded"]

NOTHING: Final = Tally()


class Account:
    """Counts each attempt once, whether the database has told of it yet or not.

    `last` is the latest attempt that it has told of. Attempts of this process are entered at once; what was entered
    before the database was asked is in its answer, if that is of the same file or memory as the one before.
    """

    def __init__(self) -> None:
        self.last = 0
        self._home: str | None = None
        self._told = self._asked = self._since = self._seen = NOTHING

    @property
    def tally(self) -> Tally:
        """What was spent: never less than what this process has seen."""
        known = self._told + self._asked + self._since
        return Tally(max(known.spent, self._seen.spent), max(known.unpriced, self._seen.unpriced))

    def enter(self, tally: Tally) -> None:
        """Take note of an attempt of this process."""
        self._since += tally
        self._seen += tally

    def ask(self) -> int:
        """Return the attempt beyond which the database is to be asked now."""
        self._asked += self._since
        self._since = NOTHING
        return self.last

    def told(self, home: str, tally: Tally, last: int) -> bool:
        """Take the answer to the latest question; return False where it has to be asked anew.

        Memory, which takes the place of a file that fails, has nothing to tell of before; a file that is back has all.
        """
        if self._home in (None, home):
            self._home, self.last = home, last
            self._told += tally
            self._asked = NOTHING
        elif home:
            self._home, self.last = None, 0
            self._told = NOTHING
            return False
        return True


def limit(budget: BudgetParams) -> int:
    """Return a budget's amount in picodollars."""
    return int(Decimal(budget.amount or 0) * PICO)


def state(budget: BudgetParams, spent: int) -> State:
    """Return how a budget stands when so much of it is spent."""
    amount = limit(budget)
    if spent >= amount:
        return "exceeded"
    return "warning" if spent >= amount * Decimal(str(budget.warn_at)) else "ok"

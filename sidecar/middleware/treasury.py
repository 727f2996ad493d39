"""The budgets, and what is spent and reserved of them."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Final

from msgspec import Struct

from sidecar.concurrency import move_on_after
from sidecar.middleware.accounts import NOTHING, Account, limit, state
from sidecar.middleware.periods import ends_at, first_day
from sidecar.schema.budgets import MAX_BUDGETS, Budget, BudgetList, BudgetParams
from sidecar.schema.chat import Warning
from sidecar.schema.errors import SidecarError
from sidecar.storage.budgets import Books, Span, Tally, books, remove, save
from sidecar.storage.database import Database
from sidecar.storage.ledger import Entry, Ledger
from sidecar.storage.money import shown, stored

REFRESH_S: Final = 2.0
"""How long the database's word is good: for so long it may be missed what other processes spend."""

LEAST: Final = 1
"""Picodollars; what is set apart for a request whose cost is known only when it has come, but will be known then."""

Tags = tuple[str, ...]

log: Final = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Reservation(Struct, frozen=True, eq=False):
    """Picodollars that a request in progress may cost."""

    amount: int
    tags: Tags


class Budgets:
    """All budgets, in memory and in the database: whichever of the two is lost, the other one counts.

    `wait_ms` is how long the database may take to answer, `now` the clock.
    """

    def __init__(self, database: Database, ledger: Ledger, wait_ms: int, now: Callable[[], datetime] = utc_now) -> None:
        ledger.watchers.append(self._enter)
        self._database = database
        self._wait_s = wait_ms / 1000
        self._now = now
        self._budgets: dict[str, BudgetParams] = {}
        self._changed: dict[str, BudgetParams | None] = {}
        self._accounts: dict[Span, Account] = {}
        self._reservations: set[Reservation] = set()
        self._asked: asyncio.Future[Books | None] | None = None
        self._known = self._slow = False
        self._due = 0.0

    def put(self, budget: BudgetParams) -> None:
        """Put a budget in place of any other with its id; without an amount there is none any more."""
        if budget.amount is None:
            self._budgets.pop(budget.id, None)
            self._changed[budget.id] = None
            self._database.post(partial(remove, id_=budget.id))
        elif len(self._budgets.keys() | {budget.id}) > MAX_BUDGETS:
            raise too_many()
        else:
            self._changed[budget.id] = self._budgets[budget.id] = budget
            self._database.post(partial(save, budget=budget))

    async def listed(self) -> BudgetList:
        """Return all budgets as they stand, with what other processes have done."""
        self._ask()
        await self._answer()
        return BudgetList([self._shown(self._budgets[id_]) for id_ in sorted(self._budgets)], self._database.state)

    def look(self) -> None:
        """Begin to learn whether there are budgets, before it is waited for."""
        self._ask()

    @property
    def idle(self) -> bool:
        """Whether there is no budget, and it is not time to look whether there is one."""
        return self._known and not self._budgets and asyncio.get_running_loop().time() < self._due

    async def refresh(self) -> bool:
        """Learn what other processes have done, and return whether the budgets are known.

        Nobody waits for that where there is no budget.
        """
        if asyncio.get_running_loop().time() >= self._due or not self._spans() <= self._accounts.keys():
            self._ask()
        if self._budgets or not self._known:
            await self._answer()
        return self._known

    def concern(self, tags: Tags) -> bool:
        """Tell whether there is a budget for requests with these tags."""
        return any(True for _ in self._of(tags))

    def reserve(self, amount: int, tags: Tags) -> Reservation:
        """Set picodollars apart in each budget for these tags; raise `budget_exceeded` where one has not so many."""
        for budget in self._of(tags):
            if amount and self._tally(budget).spent + self._reserved(budget) + amount > limit(budget):
                raise self._exceeded(budget, amount)
        reservation = Reservation(amount, tags)
        self._reservations.add(reservation)
        return reservation

    def settle(self, reservation: Reservation) -> None:
        """Give back what was set apart; what it was for has been entered by now."""
        self._reservations.remove(reservation)

    def warnings(self, tags: Tags) -> list[Warning]:
        """Return a warning for each budget for these tags that is nearly used up."""
        spent = [(budget, self._tally(budget).spent) for budget in self._of(tags)]
        return [_warning(budget, amount) for budget, amount in spent if state(budget, amount) != "ok"]

    def _of(self, tags: Tags) -> Iterator[BudgetParams]:
        return (budget for budget in self._budgets.values() if _concerns(budget, tags))

    def _spans(self) -> set[Span]:
        now = self._now()
        return {_span(budget, now) for budget in self._budgets.values()}

    def _tally(self, budget: BudgetParams) -> Tally:
        account = self._accounts.get(_span(budget, self._now()))
        return NOTHING if account is None else account.tally

    def _reserved(self, budget: BudgetParams) -> int:
        return sum(one.amount for one in self._reservations if _concerns(budget, one.tags))

    def _enter(self, entry: Entry) -> None:
        """Take note of an attempt, as the ledger does."""
        if not self._accounts:
            return
        tally = Tally(stored(entry.cost.amount or "0"), int(entry.unpriced))
        day = entry.at.astimezone().date().isoformat()
        for span, account in self._accounts.items():
            if day >= span.since and (span.tag is None or span.tag in entry.tags):
                account.enter(tally)

    def _ask(self) -> None:
        """Have the database answer what it knows; an answer that is still awaited does not count any more."""
        self._due = asyncio.get_running_loop().time() + REFRESH_S
        self._accounts = {span: self._accounts.get(span) or Account() for span in self._spans()}
        beyond = {span: account.ask() for span, account in self._accounts.items()}
        self._changed = {}
        self._asked = self._database.reading(partial(books, span_of=partial(_span, now=self._now()), beyond=beyond))
        self._asked.add_done_callback(self._take)

    async def _answer(self) -> None:
        """Wait until nothing is asked any more, within a bound; not again for a database that was late once."""
        if self._slow:
            return
        async with move_on_after(self._wait_s) as waiting:
            while (asked := self._asked) is not None:
                await asyncio.wait({asked})
        self._slow = waiting.cancelled_caught

    def _take(self, answer: "asyncio.Future[Books | None]") -> None:
        error = answer.exception()
        if answer is not self._asked:
            return
        self._asked, self._slow = None, False
        if error is not None:
            log.error("the budgets cannot be read", exc_info=error)
            return
        self._known = True
        if told := answer.result():
            self._learn(told)

    def _learn(self, told: Books) -> None:
        if told.home:
            kept = {budget.id: budget for budget in told.budgets} | self._changed
            self._budgets = {id_: budget for id_, budget in kept.items() if budget is not None}
        tallies = [(self._accounts.setdefault(span, Account()), tally) for span, tally in told.tallies.items()]
        if [account for account, tally in tallies if not account.told(told.home, tally, told.last)]:
            self._ask()

    def _shown(self, budget: BudgetParams) -> Budget:
        assert budget.amount is not None
        tally = self._tally(budget)
        return Budget(
            id=budget.id,
            amount=budget.amount,
            period=budget.period,
            warn_at=budget.warn_at,
            spent=shown(tally.spent),
            reserved=shown(self._reserved(budget)),
            state=state(budget, tally.spent),
            unpriced=tally.unpriced,
            tag=budget.tag,
            resets_at=ends_at(budget.period, self._now()),
        )

    def _exceeded(self, budget: BudgetParams, amount: int) -> SidecarError:
        spent, reserved = self._tally(budget).spent, self._reserved(budget)
        parts = [f"{shown(spent)} of {budget.amount} US dollars are spent"]
        parts += [f"requests in progress may cost {shown(reserved)}"] if reserved else []
        parts += [f"this one {shown(amount)}"] if amount > LEAST else []
        end = ends_at(budget.period, self._now())
        hint = "budgets.set raises it." if end is None else f"A new period begins at {end}; budgets.set raises it."
        message = f"The budget {budget.id} does not suffice: {', '.join(parts)}."
        return SidecarError("budget_exceeded", message, param=budget.id, hint=hint)


def too_many() -> SidecarError:
    """Say that there is no room for another budget."""
    return SidecarError("invalid_params", f"There may be {MAX_BUDGETS} budgets.", param="id")


def _span(budget: BudgetParams, now: datetime) -> Span:
    return Span(first_day(budget.period, now), budget.tag)


def _concerns(budget: BudgetParams, tags: Tags) -> bool:
    return budget.tag is None or budget.tag in tags


def _warning(budget: BudgetParams, spent: int) -> Warning:
    message = f"Of the budget {budget.id}, {shown(spent)} of {budget.amount} US dollars are spent."
    return Warning("budget_warning", message, budget.id)

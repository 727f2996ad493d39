"""Keeps requests within the budgets: first they warn, then nothing more is sent."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from msgspec import Struct

from sidecar.handler import Call, ChatHandler, Completion, Emit, Middleware, Target
from sidecar.middleware.meter import Ending, record
from sidecar.middleware.pricing import Prices
from sidecar.middleware.question import tokens_of
from sidecar.middleware.treasury import LEAST, Budgets, Reservation
from sidecar.schema.chat import Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Attempt, Usage
from sidecar.storage.ledger import Ledger
from sidecar.storage.money import stored

MAX_ANSWER: Final = 4096
"""For how many tokens of an answer money is set apart at most, and where a request does not limit them."""

UNREAD: Final = Warning("storage_unavailable", "The budgets could not be read in time, so this request is in none.")
UNPRICED: Final = Warning("cost_unknown", "What this model costs is unknown, so this request is in no budget.")


class Wish(Struct, frozen=True, kw_only=True):
    """A request that is to be sent, what it may use, where it is warned of, and who notes that it was not sent."""

    target: Target
    tags: tuple[str, ...]
    usage: Callable[[], Usage]
    warnings: list[Warning]
    record: Callable[[Attempt], None]

    def warn(self, warning: Warning) -> None:
        """Warn of something once, in its latest words."""
        self.warnings[:] = [one for one in self.warnings if (one.type, one.param) != (warning.type, warning.param)]
        self.warnings.append(warning)


def budget(budgets: Budgets, prices: Prices, ledger: Ledger) -> Middleware:
    """Send nothing that a budget does not allow for; what is free is always sent."""

    def budgeting(handler: ChatHandler) -> ChatHandler:
        async def budgeted(call: Call, emit: Emit) -> Completion:
            if budgets.idle:
                return await handler(call, emit)
            wish = Wish(
                target=call.target,
                tags=tuple(call.request.tags),
                usage=partial(_usage, call),
                warnings=call.warnings,
                record=partial(record, ledger, call),
            )
            async with within(budgets, prices, wish):
                return await handler(call, emit)

        return budgeted

    return budgeting


@asynccontextmanager
async def within(budgets: Budgets, prices: Prices, wish: Wish) -> AsyncGenerator[None, None]:
    """Set apart what a wish may cost while the block runs; raise `budget_exceeded` where there is too little left."""
    if wish.target.provider.free or not await _asked(budgets, wish):
        yield
        return
    reservation = _reserved(budgets, prices, wish)
    try:
        yield
    finally:
        budgets.settle(reservation)
        for warning in budgets.warnings(wish.tags):
            wish.warn(warning)


def _reserved(budgets: Budgets, prices: Prices, wish: Wish) -> Reservation:
    ending = Ending()
    try:
        with ending:
            return budgets.reserve(_price(prices, wish), wish.tags)
    except SidecarError as error:
        error.details |= {"provider": wish.target.id, "model": wish.target.model}
        wish.record(ending.attempt(wish.target, None, None))
        raise


async def _asked(budgets: Budgets, wish: Wish) -> bool:
    """Tell whether there is a budget to ask."""
    if not await budgets.refresh():
        wish.warn(UNREAD)
    return budgets.concern(wish.tags)


def _price(prices: Prices, wish: Wish) -> int:
    """Return picodollars: of what has no known price `LEAST` where the provider will tell what it costs, else none."""
    cost = prices.cost(wish.target, wish.usage())
    if cost is not None and cost.amount is not None:
        return stored(cost.amount)
    if wish.target.provider.quirks.cost_field:
        return LEAST
    wish.warn(UNPRICED)
    return 0


def _usage(call: Call) -> Usage:
    """Return what a question and its answer may use."""
    longest = min(call.request.max_tokens or MAX_ANSWER, MAX_ANSWER)
    return Usage(input_tokens=tokens_of(call.request), output_tokens=longest, source="estimated")

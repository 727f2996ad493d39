"""`budgets.set`, `budgets.list`."""

from collections.abc import Awaitable
from typing import Final

from sidecar.methods.services import Services
from sidecar.middleware.treasury import Budgets, too_many
from sidecar.rpc.router import Method, Request
from sidecar.schema.budgets import BudgetList, BudgetParams
from sidecar.schema.session import Empty


def set_(services: Services, params: BudgetParams, request: Request) -> Awaitable[BudgetList]:
    """Put a budget in place, and tell how all of them stand."""
    del request
    services.budgets.put(params)
    return _set(services.budgets, params)


async def _set(budgets: Budgets, params: BudgetParams) -> BudgetList:
    listed = await budgets.listed()
    if params.amount is not None and all(budget.id != params.id for budget in listed.budgets):
        raise too_many()
    return listed


def list_(services: Services, params: Empty, request: Request) -> Awaitable[BudgetList]:
    """Tell how all budgets stand."""
    del params, request
    return services.budgets.listed()


METHODS: Final = (
    Method(
        name="budgets.set",
        summary="Sets a budget, changes it, or without an amount removes it; answers with all budgets.",
        params=BudgetParams,
        result=BudgetList,
        handler=set_,
    ),
    Method(
        name="budgets.list",
        summary="Tells how much of each budget is spent, and when its period ends.",
        params=Empty,
        result=BudgetList,
        handler=list_,
    ),
)

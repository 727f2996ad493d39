"""`budgets.set`, `budgets.list`."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

from sidecar.methods.services import Services
from sidecar.rpc.router import Method, Request
from sidecar.schema.budgets import BudgetList, BudgetParams
from sidecar.schema.session import Empty

if TYPE_CHECKING:
    from sidecar.middleware.treasury import Budgets


def set_(services: Services, params: BudgetParams, request: Request) -> Awaitable[BudgetList]:
    """Put a budget in place, and tell how all of them stand."""
    del request
    budgets = services.policies().budgets
    budgets.put(params)
    return _set(budgets, params)


async def _set(budgets: "Budgets", params: BudgetParams) -> BudgetList:
    from sidecar.middleware.treasury import too_many  # a start does without it

    listed = await budgets.listed()
    if params.amount is not None and all(budget.id != params.id for budget in listed.budgets):
        raise too_many()
    return listed


def list_(services: Services, params: Empty, request: Request) -> Awaitable[BudgetList]:
    """Tell how all budgets stand."""
    del params, request
    return services.policies().budgets.listed()


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

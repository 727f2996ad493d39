"""Budgets: how much may be spent in a period."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from sidecar.schema.ledger import StorageState
from sidecar.schema.policies import Tag

MAX_BUDGETS: Final = 100

Period = Literal["day", "week", "month", "total"]
Amount = Annotated[str, Meta(pattern=r"^\d{1,9}(\.\d{1,12})?$", examples=["12.50"])]


class BudgetParams(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A budget in place of any other with its `id`; without an `amount` there is none any more.

    It counts the costs of the machine's local day, week (from Monday) or month, of requests with `tag` if given. From
    `warn_at` of it on answers carry a warning; what would exceed it fails with `budget_exceeded` and is not sent.
    """

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    amount: Amount | None = None
    period: Period = "month"
    tag: Tag | None = None
    warn_at: Annotated[float, Meta(gt=0, le=1)] = 0.8


class Budget(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A budget as it stands. `reserved` is what requests in progress may cost; amounts are decimal strings.

    `unpriced` is the number of attempts in the period whose cost is unknown, and therefore not in `spent`.
    """

    id: str
    amount: str
    period: Period
    warn_at: float
    spent: str
    reserved: str
    state: Literal["ok", "warning", "exceeded"]
    unpriced: int = 0
    currency: str = "USD"
    tag: str | None = None
    resets_at: str | None = None
    """When the period ends, as an RFC 3339 time."""


class BudgetList(Struct, frozen=True):
    """All budgets, and where they are kept."""

    budgets: list[Budget]
    storage: StorageState

"""What surrounds every question: the policies in their order."""

from pathlib import Path

from msgspec import Struct

from sidecar.catalog.listings import Listings
from sidecar.catalog.user_prices import UserPrice
from sidecar.concurrency import TaskGroup
from sidecar.handler import ChatHandler, stack
from sidecar.middleware.budget import budget
from sidecar.middleware.cache import cache
from sidecar.middleware.deadline import deadline
from sidecar.middleware.fallback import fallback
from sidecar.middleware.meter import meter
from sidecar.middleware.patience import patience
from sidecar.middleware.pricing import Prices
from sidecar.middleware.rate_limit import rate_limit
from sidecar.middleware.retry import retry
from sidecar.middleware.structured_output import structured_output
from sidecar.middleware.treasury import Budgets
from sidecar.schema.session import Limits
from sidecar.storage.answers import Answers
from sidecar.storage.database import Database
from sidecar.storage.ledger import Ledger


class Shared(Struct, frozen=True, kw_only=True):
    """What policies have in common, with each other and with methods."""

    limits: Limits
    ledger: Ledger
    answers: Answers
    tasks: TaskGroup
    prices: Prices
    budgets: Budgets


class Premises(Struct, frozen=True, kw_only=True):
    """What policies are made from. `app` names the file in `data_dir`; with `memory_only` there is none."""

    app: str
    data_dir: Path | None
    memory_only: bool
    limits: Limits
    prices: tuple[UserPrice, ...]
    listings: Listings
    tasks: TaskGroup


class Policies(Struct, frozen=True, kw_only=True):
    """What surrounds questions in a running sidecar. `chat` asks an engine under all policies."""

    database: Database
    ledger: Ledger
    answers: Answers
    prices: Prices
    budgets: Budgets
    chat: ChatHandler


def policies(engine: ChatHandler, premises: Premises) -> Policies:
    """Return the policies of a sidecar, and what they keep."""
    limits = premises.limits
    database = Database(premises.data_dir, busy_ms=limits.storage_ms, memory_only=premises.memory_only)
    database.app = premises.app
    ledger = Ledger(database, days=limits.ledger_days)
    answers = Answers(database, limits)
    prices = Prices(premises.prices, premises.listings)
    budgets = Budgets(database, ledger, limits.storage_ms)
    shared = Shared(limits=limits, ledger=ledger, answers=answers, tasks=premises.tasks, prices=prices, budgets=budgets)
    chat = with_policies(engine, shared)
    return Policies(database=database, ledger=ledger, answers=answers, prices=prices, budgets=budgets, chat=chat)


def with_policies(engine: ChatHandler, shared: Shared) -> ChatHandler:
    """Return what asks `engine` under all policies, the outermost first."""
    limits, ledger, prices = shared.limits, shared.ledger, shared.prices
    return stack(
        (
            deadline,  # of the whole call
            fallback(ledger, limits),
            cache(shared.answers, ledger, shared.tasks),
            budget(shared.budgets, prices, ledger),
            retry,
            rate_limit(limits),
            meter(ledger, prices),
            patience,  # deadlines of one attempt
            structured_output,
        ),
        engine,
    )

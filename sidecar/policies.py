"""What surrounds every question: the policies in their order."""

from msgspec import Struct

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
from sidecar.storage.ledger import Ledger


class Shared(Struct, frozen=True, kw_only=True):
    """What policies have in common, with each other and with methods."""

    limits: Limits
    ledger: Ledger
    answers: Answers
    tasks: TaskGroup
    prices: Prices
    budgets: Budgets


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

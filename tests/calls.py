"""Calls to nowhere in particular, for tests of what surrounds an engine."""

from collections.abc import Callable
from typing import Any

from inline_database import InlineDatabase

from sidecar.concurrency import TaskGroup
from sidecar.handler import Call, Target
from sidecar.middleware.pricing import Prices
from sidecar.middleware.treasury import Budgets
from sidecar.policies import Shared
from sidecar.providers import PROVIDERS
from sidecar.providers.scripted import ScriptedConfig
from sidecar.schema.chat import ChatRequest, Message
from sidecar.schema.events import Status
from sidecar.schema.session import Limits
from sidecar.storage.answers import Answers
from sidecar.storage.database import Database
from sidecar.storage.ledger import Ledger


def ignore(status: Status) -> None:
    del status


def call_for(content: str = "hi", report: Callable[[Status], None] = ignore, **options: Any) -> Call:
    """Return a call to the scripted provider, with options of the request."""
    target = Target(
        id="scripted", provider=PROVIDERS["scripted"], config=ScriptedConfig(), endpoint="script:", model="script-1"
    )
    return Call(request=ChatRequest(messages=[Message("user", content)], **options), target=target, report=report)


def shared(database: Database | None = None, tasks: TaskGroup | None = None, **limits: int) -> Shared:
    """Return what policies have in common, kept in a database that does each job at once unless there is another."""
    kept, bounds = database or InlineDatabase(), Limits(**limits)
    ledger = Ledger(kept)
    return Shared(
        limits=bounds,
        ledger=ledger,
        answers=Answers(kept, bounds),
        tasks=tasks or TaskGroup(),
        prices=Prices(),
        budgets=Budgets(kept, ledger, bounds.storage_ms),
    )

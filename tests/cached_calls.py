"""Calls to a scripted engine behind the response cache, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from calls import call_for
from inline_database import InlineDatabase

from sidecar.concurrency import TaskGroup
from sidecar.engines.scripted import ScriptedEngine
from sidecar.handler import Call, Completion, Emit, stack
from sidecar.middleware.cache import cache
from sidecar.middleware.meter import meter
from sidecar.middleware.pricing import Prices
from sidecar.middleware.retry import retry
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status, StreamEvent
from sidecar.schema.policies import CacheMode, CacheOptions
from sidecar.schema.session import Limits
from sidecar.schema.usage import Attempt
from sidecar.storage.answers import Answers
from sidecar.storage.database import Database
from sidecar.storage.ledger import Entry, Ledger

EPOCH = 1_800_000_000
"""What the clock of kept answers shows when virtual time begins."""

HELLO = ({"do": "text", "text": "Hel"}, {"do": "text", "text": "lo"}, {"do": "finish"})


def call(*steps: Any, mode: CacheMode | None = "on", ttl_s: int | None = None, **options: Any) -> Call:
    """Return a call that plays the steps."""
    wanted = None if mode is None else CacheOptions(mode, ttl_s)
    return call_for(cache=wanted, provider_options={"scripted": {"steps": list(steps or HELLO)}}, **options)


@dataclass
class Heard:
    """What one host got. It takes `slow` seconds for each event, and no more than `patience` of them."""

    call: Call
    events: list[StreamEvent] = field(default_factory=list)
    slow: float = 0.0
    patience: int | None = None
    completion: Completion | None = None
    error: SidecarError | None = None
    ended: float | None = None

    async def emit(self, event: StreamEvent) -> None:
        self.events.append(event)
        if self.patience is not None and len(self.events) > self.patience:
            await asyncio.Event().wait()
        if self.slow:
            await asyncio.sleep(self.slow)

    @property
    def text(self) -> str:
        return "".join(getattr(event, "text", "") for event in self.events)

    @property
    def states(self) -> list[str]:
        return [event.state for event in self.events if isinstance(event, Status)]

    @property
    def attempts(self) -> list[tuple[str, bool]]:
        return [(attempt.outcome, attempt.cached) for attempt in self.call.attempts]


class Sidecar:
    """A cache before an engine. `asked` are the calls that the engine got, `entered` is what the ledger got."""

    def __init__(self, tasks: TaskGroup, limits: Limits, database: Database | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.database = database or InlineDatabase()
        self.answers = Answers(self.database, limits, lambda: EPOCH + loop.time())
        self.asked: list[Call] = []
        self.entered: list[Entry] = []
        self.tasks = tasks
        ledger = Ledger(InlineDatabase())
        ledger.watchers.append(self.entered.append)
        self.engine = ScriptedEngine()
        self.ask = stack((cache(self.answers, ledger, tasks), retry, meter(ledger, Prices())), self._answer)

    async def _answer(self, call: Call, emit: Emit) -> Completion:
        self.asked.append(call)
        return await self.engine.chat(call, emit)

    async def tell(self, *steps: Any, **options: Any) -> Heard:
        """Ask, and return what came of it."""
        heard = Heard(call(*steps, **options))
        await self.run(heard)
        return heard

    async def run(self, heard: Heard) -> None:
        """Ask for a host; its cancellation is as a host's."""
        heard.call.report = heard.events.append
        try:
            heard.completion = await self.ask(heard.call, heard.emit)
        except SidecarError as error:
            heard.error = error
        finally:
            heard.ended = asyncio.get_running_loop().time()

    def told(self, *heard: Heard) -> None:
        """Require that the ledger has just the attempts that these hosts were told."""
        told = [attempt for one in heard for attempt in one.call.attempts]
        assert sorted(map(_row, told)) == sorted(map(_row, self.entered))


def _row(attempt: Attempt | Entry) -> tuple[Any, ...]:
    cost = attempt.cost.amount if attempt.cost else None
    return attempt.outcome, attempt.cached, attempt.error_type or "", attempt.duration_ms, cost or ""


@asynccontextmanager
async def sidecar(database: Database | None = None, **limits: int) -> AsyncIterator[Sidecar]:
    async with TaskGroup() as tasks:
        yield Sidecar(tasks, Limits(**limits), database)
        tasks.cancel()

"""Hosts that ask an unruly engine under all policies, in virtual time: a world is a value, what it tells another."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from calls import shared
from inline_database import InlineDatabase
from unruly import Brief, Run, Script, UnrulyEngine
from virtual_time import VirtualTimeLoop

from sidecar.concurrency import CancelScope, TaskGroup
from sidecar.handler import Call, Candidate, Completion, Target
from sidecar.middleware.pricing import Prices
from sidecar.policies import with_policies
from sidecar.providers import PROVIDERS
from sidecar.schema.budgets import BudgetParams
from sidecar.schema.chat import ChatRequest, JsonFormat, Message
from sidecar.schema.errors import ErrorType, SidecarError
from sidecar.schema.events import Status, StreamEvent
from sidecar.schema.policies import CacheOptions, RateLimits, RetryOptions, Timeouts
from sidecar.storage.ledger import Entry
from sidecar.transcript import Transcript

LONGEST_S: Final = 7 * 24 * 3600.0
"""Of virtual time; far above what all deadlines and pauses of a world come to."""
PRICES: Final = Prices()
PLACES: Final = {
    "a": ("openai", "gpt-6-sol"),
    "b": ("anthropic", "claude-sonnet-5-5"),
    "c": ("ollama", "m-1"),
    "d": ("openai_compatible", "m-1"),
}
"""What each target is: two with a price, one that is free, and one whose price nobody knows."""


@dataclass(frozen=True, repr=False)
class Detour(Brief):
    """Whom to ask instead; `lacks` is what is found wrong with the target before it is asked."""

    target: str
    on: tuple[ErrorType, ...] = ()
    lacks: ErrorType | None = None


@dataclass(frozen=True, repr=False)
class Caller(Brief):
    """A host's request: when it comes, what it wants, and when the host gives it up."""

    at: float = 0.0
    question: str = "one"
    target: str = "a"
    leaves: float | None = None
    slow: float = 0.0
    """Seconds that the host takes for each event."""
    stalls: int | None = None
    """After how many events the host reads no more."""
    wants_json: bool = False
    max_retries: int | None = None
    timeouts: Timeouts | None = None
    tags: tuple[str, ...] = ()
    lacks: ErrorType | None = None
    """What is found wrong with the first target, where there are others."""
    others: tuple[Detour, ...] = ()
    cache: CacheOptions | None = None

    @property
    def chain(self) -> tuple[Detour, ...]:
        """Return whom to ask, in order."""
        first = Detour(self.target, lacks=self.lacks if self.others else None)
        return (first, *(other for other in self.others if other.target != self.target))


@dataclass(frozen=True, repr=False)
class World(Brief):
    scripts: dict[str, tuple[Script, ...]]
    callers: tuple[Caller, ...]
    rate_limits: dict[str, RateLimits] = field(default_factory=dict)
    budgets: tuple[BudgetParams, ...] = ()
    limits: dict[str, int] = field(default_factory=dict)


@dataclass
class Told:
    """What one caller got to know."""

    caller: Caller
    call: Call
    events: list[StreamEvent] = field(default_factory=list)
    late: list[StreamEvent] = field(default_factory=list)
    """What was told after the end."""
    completion: Completion | None = None
    error: SidecarError | None = None
    defect: BaseException | None = None
    cancelled: bool = False
    ended: float | None = None
    waited: float = 0.0
    """How long the host was waited for."""

    @property
    def transcript(self) -> Transcript:
        """Return what the events add up to."""
        transcript = Transcript()
        for event in self.events:
            transcript.add(event)
        return transcript

    @property
    def statuses(self) -> list[Status]:
        return [event for event in self.events if isinstance(event, Status)]


@dataclass
class History:
    """All that happened. `entries` came to the ledger, `rows` are kept of them."""

    told: list[Told]
    runs: list[Run]
    entries: list[Entry]
    rows: list[tuple[Any, ...]]
    left_behind: list[str]
    reserved: set[str]
    """What budgets still set apart."""


class InlineLoop(VirtualTimeLoop):
    """Does at once what would be done in another thread."""

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        del executor
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            future.set_exception(error)
        return future


def run(world: World) -> History:
    """Return what becomes of a world."""
    with asyncio.Runner(loop_factory=InlineLoop) as runner:
        return runner.run(_live(world))


async def _live(world: World) -> History:
    database, entries = InlineDatabase(), list[Entry]()
    engine = UnrulyEngine(world.scripts, entries)
    told = [Told(caller, _call(caller, world)) for caller in world.callers]
    async with TaskGroup() as tasks:
        common = shared(database, tasks, **world.limits)
        common.ledger.watchers.append(entries.append)
        for budget in world.budgets:
            common.budgets.put(budget)
        ask = with_policies(engine.chat, common)
        asking = [asyncio.ensure_future(_ask(one, ask)) for one in told]
        _, pending = await asyncio.wait(asking, timeout=LONGEST_S)
        left_behind = await _left_behind()
        for task in pending:
            task.cancel()
        tasks.cancel()
    assert not pending, f"nothing came of {[one.caller for one in told if one.ended is None]}"
    rows = await database.ask(lambda connection: connection.execute(ROWS).fetchall())
    reserved = {budget.reserved for budget in (await common.budgets.listed()).budgets}
    return History(told, engine.runs, entries, rows, left_behind, reserved)


ROWS: Final = (
    "SELECT provider, model, outcome, error_type, cached, input_tokens, output_tokens, estimated, cost, cost_source"
    " FROM attempts ORDER BY id"
)


async def _left_behind() -> list[str]:
    """Return the tasks and timers that nobody waits for any more."""
    for _ in range(10):
        await asyncio.sleep(0)
    loop: Any = asyncio.get_running_loop()
    tasks = [repr(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    return tasks + [repr(timer) for timer in loop._scheduled if not timer.cancelled()]


async def _ask(told: Told, ask: Callable[..., Coroutine[Any, Any, Completion]]) -> None:
    """Ask as a method does."""
    caller, loop = told.caller, asyncio.get_running_loop()
    await asyncio.sleep(caller.at)
    scope = CancelScope()
    leaving = None if caller.leaves is None else loop.call_later(caller.leaves, scope.cancel)

    async def emit(event: StreamEvent) -> None:
        _hear(told, event)
        if caller.stalls is not None and len(told.events) > caller.stalls:
            raise SidecarError("client_stalled")
        if caller.slow:
            await asyncio.sleep(caller.slow)
            told.waited += caller.slow

    told.call.report = lambda status: _hear(told, status)
    try:
        async with scope:
            told.completion = await ask(told.call, emit)
    except SidecarError as error:
        told.error = error
    except RuntimeError as error:
        told.defect = error
    told.cancelled = scope.cancelled_caught
    told.ended = loop.time()
    if leaving is not None:
        leaving.cancel()


def _hear(told: Told, event: StreamEvent) -> None:
    (told.events if told.ended is None else told.late).append(event)


def target(name: str, rate_limits: RateLimits | None = None) -> Target:
    kind, model = PLACES[name]
    provider = PROVIDERS[kind]
    config = provider.config(rate_limits=rate_limits)
    return Target(id=name, provider=provider, config=config, endpoint=f"https://{name}.test", model=model)


def _call(caller: Caller, world: World) -> Call:
    request = ChatRequest(
        messages=[Message("user", caller.question)],
        response_format=JsonFormat() if caller.wants_json else None,
        retry=None if caller.max_retries is None else RetryOptions(caller.max_retries),
        timeouts=caller.timeouts,
        tags=list(caller.tags),
        cache=caller.cache,
    )
    first, *others = (_candidate(detour, world) for detour in caller.chain)
    call = Call(request=request, target=first.target, report=lambda _: None)
    if others:
        call.first, call.others = first, tuple(others)
    return call


def _candidate(detour: Detour, world: World) -> Candidate:
    aim = target(detour.target, world.rate_limits.get(detour.target))

    async def resolve() -> Target:
        if detour.lacks is not None:
            raise SidecarError(detour.lacks)
        return aim

    return Candidate(target=aim, on=frozenset(detour.on), resolve=resolve)

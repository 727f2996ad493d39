"""Answers what was asked before from what is kept, and what is asked at the same time together."""

import asyncio
from decimal import Decimal
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from sidecar.concurrency import TaskGroup
from sidecar.handler import Call, ChatHandler, Completion, Emit, Middleware
from sidecar.middleware import cache_key
from sidecar.middleware.flights import Caller, Flight, own
from sidecar.middleware.meter import Ending, record
from sidecar.schema.chat import Reason, Warning
from sidecar.schema.policies import CacheMode, CacheOptions
from sidecar.schema.usage import Cost
from sidecar.storage.answers import Answers, Entry, KeptAnswer, UnavailableError
from sidecar.storage.ledger import Ledger

LOOKING: Final[frozenset[CacheMode]] = frozenset({"read", "on"})
KEEPING: Final[frozenset[CacheMode]] = frozenset({"write", "on"})
SHARING: Final[frozenset[CacheMode]] = frozenset({"on"})

WHOLE: Final[frozenset[Reason]] = frozenset({"stop", "tool_calls"})
"""How an answer ends that is kept. One that was cut short, refused or filtered may be whole when asked for again."""

LARGE: Final = 1 << 20
"""Bytes from which on a digest, at about a millisecond for so many, is made in a thread."""

UNAVAILABLE: Final = Warning("cache_unavailable", "Kept answers could not be looked through; the question was asked.")


def cache(answers: Answers, ledger: Ledger, tasks: TaskGroup) -> Middleware:
    """Answer as `request.cache` says; whatever is asked is asked in `tasks`."""

    def caching(handler: ChatHandler) -> ChatHandler:
        shared = _Cache(handler, answers, ledger, tasks)

        # No coroutine of its own, so that a call that wants no cache has none more to go through at each event.
        def cached(call: Call, emit: Emit) -> Any:
            options = call.request.cache
            if options is None or options.mode == "off":
                return handler(call, emit)
            return shared.answer(call, emit, options)

        return cached

    return caching


class _Cache:
    """Finds or asks, once for all who want the same in the same way."""

    def __init__(self, handler: ChatHandler, answers: Answers, ledger: Ledger, tasks: TaskGroup) -> None:
        self._handler = handler
        self._answers = answers
        self._ledger = ledger
        self._tasks = tasks
        self._flights: dict[tuple[bytes, bytes], Flight] = {}

    async def answer(self, call: Call, emit: Emit, options: CacheOptions) -> Completion:
        """Deliver an answer to one caller."""
        key = await _key(call)
        flight = self._flight(key, call, options)
        caller = flight.board(call)
        ending = Ending()
        try:
            with ending:
                await _travel(flight, caller, emit)
        finally:
            if not caller.tells and not flight.unasked:
                self._note(flight, call, ending)
        return call.completion()

    def _note(self, flight: Flight, call: Call, ending: Ending) -> None:
        """Record an attempt for a caller who was answered without being the one that the target was asked for."""
        call.cached = ending.outcome != "error"
        call.cost = Cost(amount="0", source="cache")
        attempt = replace(ending.attempt(call.target, None, call.cost), cached=True)
        record(self._ledger, call, attempt, self._saved(flight) if ending.outcome == "ok" else Decimal())

    def _saved(self, flight: Flight) -> Decimal:
        """Count an answer that nothing was asked for, and return what it would have cost, as far as is known."""
        if flight.kept is None:
            self._answers.tally.joined += 1
            cost = flight.call.cost
        else:
            self._answers.tally.hits += 1
            cost = flight.kept.cost
        return Decimal((cost and cost.amount) or 0)

    def _flight(self, key: bytes, call: Call, options: CacheOptions) -> Flight:
        """Return the flight that others are on, where there is one, or else a new one."""
        place = (key, cache_key.treatment(call.request))
        flight = self._flights.get(place)
        if flight is None or flight.closed:
            flight = Flight(call)
            if options.mode in SHARING:
                self._flights[place] = flight
            self._tasks.start_soon(self._fly, flight, place, options)
        return flight

    async def _fly(self, flight: Flight, place: tuple[bytes, bytes], options: CacheOptions) -> None:
        await flight.run(partial(self._find_or_ask, flight, place[0], options))
        if self._flights.get(place) is flight:
            del self._flights[place]

    async def _find_or_ask(self, flight: Flight, key: bytes, options: CacheOptions, call: Call, emit: Emit) -> None:
        if options.mode in LOOKING and (kept := await self._find(key, options, call)):
            flight.replay(kept)
            return
        completion = await self._handler(call, emit)
        if options.mode in KEEPING and completion.finish_reason.reason in WHOLE and call.transcript.started:
            self._answers.keep(Entry(key, tuple(call.request.tags), options.ttl_s), _whole(flight, completion))

    async def _find(self, key: bytes, options: CacheOptions, call: Call) -> KeptAnswer | None:
        try:
            kept = await self._answers.find(key, options.ttl_s)
        except UnavailableError:
            call.warnings.append(UNAVAILABLE)
            return None
        if kept is None:
            self._answers.tally.misses += 1
        return kept


async def _travel(flight: Flight, caller: Caller, emit: Emit) -> None:
    """Deliver an answer, or raise why there is none."""
    try:
        await flight.deliver(caller, emit)
    finally:
        await flight.leave(caller)
    if flight.failure is not None:
        raise own(flight.failure)


async def _key(call: Call) -> bytes:
    content = cache_key.content(call.request, call.target)
    if len(content) < LARGE:
        return cache_key.digest(content, call.target)
    return await asyncio.to_thread(cache_key.digest, content, call.target)


def _whole(flight: Flight, completion: Completion) -> KeptAnswer:
    return KeptAnswer(
        deltas=flight.deltas(),
        finish=completion.finish_reason,
        warnings=flight.call.transcript.warnings,
        structured=flight.call.structured,
        cost=completion.cost,
    )

"""A question that is asked once for several callers: each gets the whole answer, at its own pace."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final

from msgspec.structs import replace

from sidecar.concurrency import CancelScope
from sidecar.handler import Call, Emit, tell
from sidecar.schema.chat import FinishReason, Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Delta, Status, StreamEvent
from sidecar.storage.answers import KeptAnswer
from sidecar.transcript import Transcript

AHEAD: Final = 256
"""Events that are taken from a provider beyond what the fastest caller has taken.

So the log of a flight is never longer than that caller's transcript by more.
"""

EVENTS_PER_TURN: Final = 256
"""Events that a caller who comes late gets before others have their turn."""


class Anew:
    """Stands in a log where an attempt began after one that failed, whose warnings and counts are void."""


ANEW: Final = Anew()


class Caller:
    """Who waits for the answer. `tells` is whether its result lists the attempts that were made."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.earlier = len(call.attempts)
        self.place = 0
        self.tells = False


class Flight:
    """One question under way, in a task that belongs to none of its callers; the last one to leave ends it.

    `kept` is the answer where none had to be asked for, `failure` why there is none.
    """

    def __init__(self, call: Call) -> None:
        self.call = Call(request=call.request, target=call.target, report=self._report, others=call.others)
        self.kept: KeptAnswer | None = None
        self.failure: Exception | None = None
        self.closed = False
        """Whether it is about to be ended, so that nobody can join."""
        self._callers: list[Caller] = []
        self._log: list[StreamEvent | Anew] = []
        self._front = 0
        self._transcript = self.call.transcript
        self._scope = CancelScope()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def unasked(self) -> bool:
        """Whether it ended without an answer, and without an attempt to have one."""
        return self._ended.is_set() and self.kept is None and not self.call.attempts

    async def run(self, ask: Callable[[Call, Emit], Awaitable[None]]) -> None:
        """Ask, and tell the callers how that went."""
        with self:
            async with self._scope:
                await ask(self.call, self._emit)

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if isinstance(error, Exception):
            self.failure = error
        self._land()
        return self.failure is not None

    def board(self, call: Call) -> Caller:
        """Add a caller."""
        caller = Caller(call)
        self._callers.append(caller)
        return caller

    async def deliver(self, caller: Caller, emit: Emit) -> None:
        """Pass on all events, from the first one to the end of the flight."""
        while True:
            for event in self._log[caller.place : caller.place + EVENTS_PER_TURN]:
                await _pass_on(event, caller, emit)
                caller.place += 1
                self._advance(caller.place)
            if caller.place < len(self._log):
                await asyncio.sleep(0)
            elif self._ended.is_set():
                return
            else:
                self._news.clear()
                await self._news.wait()

    async def leave(self, caller: Caller) -> None:
        """Let a caller go, with what is known of the call. The last one ends the flight."""
        if len(self._callers) == 1 and not self._ended.is_set():
            self.closed = caller.tells = True
            self._scope.cancel()
            await self._ended.wait()
        self._callers.remove(caller)
        call, asked = caller.call, self.call
        call.structured = asked.structured
        call.warnings += asked.warnings
        if caller.tells:
            call.cost, call.transcript.usage = asked.cost, asked.transcript.usage

    def replay(self, kept: KeptAnswer) -> None:
        """Have a kept answer delivered."""
        self.kept = kept
        self.call.structured = kept.structured
        self._log += [*kept.warnings, *kept.deltas, kept.finish]

    def deltas(self) -> list[Delta]:
        """Return the answer's deltas as they came."""
        found: list[Delta] = []
        for event in self._log:
            if isinstance(event, Anew):
                found.clear()
            elif not isinstance(event, Status | Warning | FinishReason):
                found.append(event)
        return found

    def _emit(self, event: StreamEvent) -> Awaitable[None] | None:
        self._note_anew()
        self._log.append(event)
        self._news.set()
        return self._wait() if len(self._log) - self._front > AHEAD else None

    async def _wait(self) -> None:
        while len(self._log) - self._front > AHEAD:
            self._room.clear()
            await self._room.wait()

    def _note_anew(self) -> None:
        if self._transcript is not self.call.transcript:
            self._transcript = self.call.transcript
            self._log.append(ANEW)

    def _advance(self, place: int) -> None:
        if place > self._front:
            self._front = place
            self._room.set()

    def _report(self, status: Status) -> None:
        for caller in self._callers:
            caller.call.report(status)

    def _land(self) -> None:
        """End, and leave it to the first caller who is still there to tell what was attempted."""
        self._note_anew()
        if self._callers and self.kept is None:
            teller = self._callers[0]
            teller.tells = True
            teller.call.attempts += self.call.attempts
        self._ended.set()
        self._news.set()


async def _pass_on(event: StreamEvent | Anew, caller: Caller, emit: Emit) -> None:
    if isinstance(event, Anew):
        caller.call.transcript = Transcript()
        return
    if not isinstance(event, Status):
        caller.call.transcript.add(event)
    elif event.attempt is not None:  # a number among those of this question, not of the whole call
        event = replace(event, attempt=event.attempt + caller.earlier)
    await tell(emit, event)


def own(failure: Exception) -> Exception:
    """Return a failure that its receiver may add to."""
    if isinstance(failure, SidecarError):
        return SidecarError(failure.type, failure.message, **failure.details)
    return failure

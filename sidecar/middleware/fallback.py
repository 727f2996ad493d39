"""Asks another target where one fails, as long as nothing of an answer has come."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from sidecar.handler import Call, Candidate, ChatHandler, Completion, Emit, Middleware, Target, tell
from sidecar.middleware.detour import NOBODYS, Cooldowns, accepts, route
from sidecar.middleware.meter import Ending, record
from sidecar.schema.chat import FinishReason, Warning
from sidecar.schema.errors import ERRORS, ErrorType, SidecarError
from sidecar.schema.events import ModelName, Status, StreamEvent, UsageDelta
from sidecar.schema.session import Limits
from sidecar.storage.ledger import Ledger
from sidecar.transcript import Transcript


def fallback(ledger: Ledger, limits: Limits) -> Middleware:
    """Ask the candidates of a call in their order, up to the first that answers.

    Where none does, the failure of the first is raised. A target that failed a moment ago is asked last.
    """
    cooldowns = Cooldowns(limits.cooldown_ms / 1000)

    def falling_back(handler: ChatHandler) -> ChatHandler:
        # No coroutine of its own, so that a call without others has none more to go through at each event.
        def searched(call: Call, emit: Emit) -> Any:
            if not call.others:
                return handler(call, emit)
            return _Search(call, handler, ledger, cooldowns).run(emit)

        return searched

    return falling_back


class _Search:
    """One call's way from candidate to candidate."""

    def __init__(self, call: Call, handler: ChatHandler, ledger: Ledger, cooldowns: Cooldowns) -> None:
        assert call.first is not None
        self._call = call
        self._handler = handler
        self._ledger = ledger
        self._cooldowns = cooldowns
        self._first = call.first
        self._failures: list[tuple[Candidate, SidecarError]] = []
        self._now = asyncio.get_running_loop().time

    async def run(self, emit: Emit) -> Completion:
        """Return the first answer there is."""
        call, last = self._call, self._first
        order, reason = route((self._first, *call.others), self._cooling)
        if reason is not None:
            call.warnings.append(_skipped(last.target))
        while order:
            candidate = order.pop(0)
            if reason is not None and not accepts(candidate, reason):
                continue
            if reason is not None:
                await tell(emit, _detour(last, candidate))
            call.others = tuple(order)
            held = _Held(emit)
            try:
                return await self._ask(candidate, held)
            except SidecarError as error:
                if held.opened or ERRORS[error.type].category in NOBODYS:
                    raise
                self._failures.append((candidate, error))
                reason, last = error.type, candidate
        raise self._told()

    def _cooling(self, candidate: Candidate) -> ErrorType | None:
        return self._cooldowns.reason(candidate.target.origin, self._now())

    async def _ask(self, candidate: Candidate, held: "_Held") -> Completion:
        call, known, ending = self._call, len(self._call.attempts), Ending()
        _start_anew(call, candidate.target)
        try:
            with ending:
                call.target = await candidate.resolve()
                completion = await self._handler(call, held.emit)
        except SidecarError as error:
            if len(call.attempts) == known:
                record(self._ledger, call, ending.attempt(call.target, None, None))
            self._cooldowns.failed(candidate.target.origin, error, self._now())
            raise
        if not call.cached:
            self._cooldowns.answered(candidate.target.origin)
        await held.release()
        return completion

    def _told(self) -> SidecarError:
        """Return the failure of whom the host asked for, or else of the first that was asked."""
        asked_for = (failure for failure in self._failures if failure[0] is self._first)
        candidate, error = next(asked_for, self._failures[0])
        _start_anew(self._call, candidate.target)
        return error


class _Held:
    """Holds back what is no content until there is some: of a target that fails, nothing but statuses is told."""

    def __init__(self, emit: Emit) -> None:
        self.opened = False
        self._emit = emit
        self._events: list[StreamEvent] = []

    def emit(self, event: StreamEvent) -> Awaitable[None] | None:
        if self.opened or isinstance(event, Status):
            return self._emit(event)
        if isinstance(event, UsageDelta | Warning | FinishReason):
            if isinstance(event, UsageDelta):  # the latest counts
                self._events = [held for held in self._events if not isinstance(held, UsageDelta)]
            self._events.append(event)
            return None
        return self._open(event)

    async def _open(self, event: StreamEvent) -> None:
        self.opened = True
        await tell(self._emit, event)  # first, as it is in the transcript already
        await self.release()

    async def release(self) -> None:
        """Hand on what was held back."""
        self.opened = True
        events, self._events = self._events, []
        for event in events:
            await tell(self._emit, event)


def _start_anew(call: Call, target: Target) -> None:
    """Aim the call at a target, and forget what another has left."""
    call.target = target
    call.transcript = Transcript()
    call.cost = call.structured = call.repair = None


def _skipped(target: Target) -> Warning:
    message = f"{target.id}/{target.model} was not asked first, as it failed a moment ago."
    return Warning("fallback_skipped", message, "fallback")


def _detour(last: Candidate, candidate: Candidate) -> Status:
    return Status(state="falling_back", from_=_name(last.target), to=_name(candidate.target))


def _name(target: Target) -> ModelName:
    return ModelName(target.id, target.model)

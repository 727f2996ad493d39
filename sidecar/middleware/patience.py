"""Three deadlines of one attempt: connect, first token, idle. They stand still while the host is waited for."""

import asyncio
from collections.abc import Awaitable
from typing import Final

from msgspec import Struct

from sidecar.concurrency import CancelScope, clock
from sidecar.handler import Call, ChatHandler, Completion, Emit
from sidecar.schema.errors import SidecarError, Stage
from sidecar.schema.events import State, Status, StreamEvent
from sidecar.schema.policies import Timeouts

CONNECT_MS: Final = 10_000
PLAIN_FIRST_TOKEN_MS: Final = 120_000
"""For models that are known not to think first; others have as long as their provider may need."""
IDLE_MS: Final = 120_000
STALLED_MS: Final = 8_000
"""How long an answer may pause before the host is told."""

STAGES: Final[dict[State, Stage | None]] = {
    "connecting": "connect",
    "waiting_first_token": "first_token",
    "loading_model": None,
    "queued": None,
}
"""Which deadline a status starts; `None` where the engine itself keeps time."""

MESSAGES: Final[dict[Stage, str]] = {
    "connect": "The provider could not be reached in time.",
    "first_token": "The provider did not begin to answer in time.",
    "idle": "The provider stopped sending in mid-answer.",
}


def patience(handler: ChatHandler) -> ChatHandler:
    """End an attempt with `timeout` when one of its deadlines passes."""

    async def timed(call: Call, emit: Emit) -> Completion:
        clock = _Clock(call, emit)
        with clock:
            async with clock.scope:
                return await handler(call, clock.emit)
        assert clock.stage is not None
        raise SidecarError("timeout", MESSAGES[clock.stage], stage=clock.stage)

    return timed


class _Bounds(Struct, frozen=True):
    connect: float
    first_token: float
    idle: float


def _bounds(call: Call) -> _Bounds:
    """Return the call's deadlines in seconds."""
    asked, record = call.request.timeouts or Timeouts(), call.target.provider
    thinks = record.traits(call.target.config, call.target.model).thinks
    return _Bounds(
        (asked.connect or CONNECT_MS) / 1000,
        (asked.first_token or (record.first_token_ms if thinks else PLAIN_FIRST_TOKEN_MS)) / 1000,
        (asked.idle or IDLE_MS) / 1000,
    )


class _Clock:
    """One timer that compares timestamps, however many events pass."""

    def __init__(self, call: Call, emit: Emit) -> None:
        self.scope = CancelScope()
        self.stage: Stage | None = "connect"
        self._call = call
        self._emit = emit
        self._bounds = _bounds(call)
        self._loop = asyncio.get_running_loop()
        self._now = clock()
        self._since = self._now()
        self._flows = False
        self._waits = False
        self._told: float | None = None

    def __enter__(self) -> None:
        self._timer = self._loop.call_at(self._due(), self._check)

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def emit(self, event: StreamEvent) -> Awaitable[None] | None:
        if type(event) is Status:
            self._enter(STAGES.get(event.state, self.stage))
        elif not self._flows and self._call.transcript.started:  # token counts and warnings are no token yet
            self._enter("idle")
        if self._flows:  # in mid-answer any event is a sign of life
            self._since = self._now()
        room = self._emit(event)
        return None if room is None else self._wait(room)

    async def _wait(self, room: Awaitable[None]) -> None:
        """Give back the time that the host takes."""
        self._waits, asked = True, self._now()
        await room
        self._since += self._now() - asked
        self._waits = False

    def _enter(self, stage: Stage | None) -> None:
        if stage != self.stage:
            self.stage, self._flows = stage, stage == "idle"
            self._since = self._now()
            if (due := self._due()) < self._timer.when():
                self._timer.cancel()
                self._timer = self._loop.call_at(due, self._check)

    def _limit(self) -> float:
        return getattr(self._bounds, self.stage) if self.stage else float("inf")

    def _due(self) -> float:
        """Return when to look again."""
        now = self._now()
        stalled = self._since + STALLED_MS / 1000
        look = stalled if stalled > now else now + STALLED_MS / 1000
        return min(self._since + self._limit(), look)

    def _check(self) -> None:
        now = self._now()
        if self._waits:
            self._timer = self._loop.call_at(now + STALLED_MS / 1000, self._check)
        elif now >= self._since + self._limit():
            self.scope.cancel()
        else:
            self._tell(now)
            self._timer = self._loop.call_at(self._due(), self._check)

    def _tell(self, now: float) -> None:
        pause = now - self._since
        if self.stage == "idle" and pause * 1000 >= STALLED_MS and self._told != self._since:
            self._told = self._since
            self._call.report(Status(state="stalled", ms=int(pause * 1000)))

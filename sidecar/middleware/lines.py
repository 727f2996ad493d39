"""Requests wait in line for their turn, one line for each key."""

import asyncio
from collections.abc import Callable, Mapping
from math import ceil, inf
from typing import Final

from sidecar.dialects.rate_headers import allowances
from sidecar.middleware.quotas import NOTHING, Need
from sidecar.middleware.turns import Turn, Turns
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status

NOTABLE_S: Final = 1.0
"""By how much it must have changed when it will be a request's turn for the host to be told again."""

STAGE: Final = "queue"
"""What an error is marked with that the line has made, not the provider."""


class Place(Turn, kw_only=True, eq=False):
    """A place in the line. `come` is done when it is left, `told` is when the host expects its turn."""

    report: Callable[[Status], None]
    come: "asyncio.Future[None]"
    told: float | None = None


class Line:
    """All who use one key."""

    def __init__(self, max_queued: int) -> None:
        self.turns: Turns[Place] = Turns()
        self._max_queued = max_queued
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, place: Place) -> None:
        """Wait for the turn. Raises `rate_limited` where it would not come in time, or too many wait already."""
        self.turns.join(place)
        self._advance()
        if not place.come.done():
            if len(self.turns.queue) > self._max_queued:
                self._leave(place)
                message = f"{self._max_queued} requests wait for the rate limit already."
                raise SidecarError("rate_limited", message, stage=STAGE)
            self._tell()
            try:
                await place.come
            except asyncio.CancelledError:
                self._leave(place)
                raise
        if place.mark is None:
            raise self._too_long(place)

    def leave(self, place: Place, used: Need) -> None:
        """Take note that a request is over."""
        self.turns.end(place, used)
        self._look()

    def hear(self, place: Place, headers: Mapping[str, str]) -> None:
        """Learn from the headers of the answer to a request."""
        assert place.mark is not None
        if said := allowances(headers):
            place.quotas.heard(place.mark, said, self._loop.time())
            self._look()

    def refused(self, place: Place, retry_after_ms: int | None) -> None:
        """Learn that the provider refused a request for its limits."""
        told_s = None if retry_after_ms is None else retry_after_ms / 1000
        place.quotas.refused(place.need, told_s, self._loop.time())

    def _leave(self, place: Place) -> None:
        """Give up a place, or the turn if it has come at this moment."""
        if place.mark is None:
            self.turns.leave(place)
        else:
            self.turns.end(place, NOTHING)
        self._look()

    def _look(self) -> None:
        """Have go who may go now, and tell the others how it looks."""
        if self.turns.queue or self._timer is not None:
            self._advance()
            self._tell()

    def _advance(self) -> None:
        left, again = self.turns.advance(self._loop.time())
        for place in left:
            if not place.come.done():
                place.come.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(again, self._look) if again < inf else None

    def _tell(self) -> None:
        now = self._loop.time()
        for place in self.turns.queue:
            due = place.due if place.due > now else inf
            if place.told is None or (due != place.told and not abs(due - place.told) < NOTABLE_S):
                place.told = due
                place.report(Status(state="rate_limited", wait_ms=None if due == inf else _ms(due - now)))

    def _too_long(self, place: Place) -> SidecarError:
        wait = place.due - self._loop.time()
        if wait <= 0:
            message = "The rate limit has held the request back for as long as it may."
            return SidecarError("rate_limited", message, stage=STAGE)
        message = f"The rate limit would hold the request back for {ceil(wait)} s, longer than it may."
        return SidecarError("rate_limited", message, stage=STAGE, retry_after_ms=_ms(wait))


def _ms(seconds: float) -> int:
    return ceil(seconds * 1000)

"""The right to ask a model, held by so many requests at once as it takes.

It is given back when the model's worker has nothing left to do for the request.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import anyio
from anyio.abc import TaskGroup

from sidecar.engines.llama import protocol
from sidecar.engines.llama.process import Exchange
from sidecar.engines.llama.resident import ModelKey, Resident
from sidecar.engines.llama.residents import Residents
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status

CONFIRM_S: Final = 0.05
"""How long a cancelled request waits for the worker's word, which brings the token counts."""

DRAIN_S: Final = 15.0
"""How long a worker may take to come to a border at which it can stop.

What takes longer keeps its own turn and no other's: the worker is ended as soon as it answers nobody else.
"""

Tell = Callable[[Status], Awaitable[None]]


class Lease:
    """The right to ask a model, and one exchange with it."""

    def __init__(self, tasks: TaskGroup, residents: Residents, resident: Resident) -> None:
        self.resident = resident
        self._tasks = tasks
        self._residents = residents

    async def take_turn(self, tell: Tell) -> None:
        """Wait until nobody else holds the right."""
        if not self.resident.turn.value:
            await tell(Status(state="queued"))
        await self.resident.turn.acquire()

    def release(self) -> None:
        """Give the turn to the next in line."""
        self.resident.turn.release()
        self._residents.leave(self.resident)

    async def end(self, exchange: Exchange) -> protocol.Done | None:
        """Give the turn back; returns how an answer ended that had to be cancelled, where the worker tells in time.

        A worker that is slow to confirm is waited for by those who come next, not by the caller.
        """
        done = None if exchange.finished else await _cancelled(exchange)
        self.resident.answering -= 1
        self.resident.end_if_stuck()
        if exchange.finished:
            self._finish(exchange)
        else:
            self._tasks.start_soon(self._drain, exchange)
        return done

    async def _drain(self, exchange: Exchange) -> None:
        """Keep the turn until the worker has stopped."""
        try:
            with suppress(SidecarError):
                await self._stopped(exchange)
        finally:
            self._finish(exchange)

    async def _stopped(self, exchange: Exchange) -> None:
        with anyio.move_on_after(DRAIN_S):
            await exchange.last()
        if not exchange.finished:
            self.resident.stuck += 1
            self.resident.end_if_stuck()
            await exchange.last()
            self.resident.stuck -= 1

    def _finish(self, exchange: Exchange) -> None:
        exchange.close()
        if exchange.answered:
            self._residents.answered(self.resident)
        self.release()


async def _cancelled(exchange: Exchange) -> protocol.Done | None:
    with anyio.move_on_after(CONFIRM_S, shield=True), suppress(SidecarError):
        exchange.send(protocol.Cancel(exchange.id))
        report = await exchange.last()
        return report if isinstance(report, protocol.Done) else None
    return None


class Leases:
    """Gives leases on models, which are loaded first where they are not; each model to so many at once as it takes."""

    def __init__(self, tasks: TaskGroup, residents: Residents) -> None:
        self._tasks = tasks
        self._residents = residents

    async def take(self, key: ModelKey, keep_alive_s: float | None, tell: Tell) -> Lease:
        """Return the loaded model when it is the caller's turn; a model that died meanwhile is loaded anew."""
        while True:
            resident = await self._residents.join(key, keep_alive_s, tell)
            lease = Lease(self._tasks, self._residents, resident)
            try:
                await lease.take_turn(tell)
            except BaseException:
                self._residents.leave(resident)
                raise
            if resident.alive:
                resident.answering += 1
                return lease
            lease.release()

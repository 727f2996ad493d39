"""The models in memory: who shares a worker, who waits for one, who must go."""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Literal

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup

from sidecar.engines.llama import gguf
from sidecar.engines.llama.crash_loop import CrashLoop
from sidecar.engines.llama.resident import ModelKey, Resident
from sidecar.engines.llama.room import Room
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status

PROGRESS_S: Final = 0.25
PROGRESS_STEP: Final = 0.01

Tell = Callable[[Status], Awaitable[None]]


async def inspect(path: str) -> gguf.ModelFile:
    """Read a model file's header; the disk may be slow, and the caller may leave meanwhile."""
    return await to_thread.run_sync(gguf.inspect, path, abandon_on_cancel=True)


class Residents:
    """As many models as there is room for. Requests are admitted in the order they came.

    One that waits for room holds up those behind it, also where their models are loaded: these would never be idle.
    """

    def __init__(self, tasks: TaskGroup, argv: Sequence[str], load_ms: int, room: Room) -> None:
        self._tasks = tasks
        self._argv = argv
        self._load_ms = load_ms
        self._room = room
        self._crashes = CrashLoop()
        self._admission = anyio.Semaphore(1)
        self._all: list[Resident] = []
        self._change = anyio.Event()

    def find(self, key: ModelKey) -> Resident | None:
        """Return the usable resident for `key`."""
        return next((one for one in self._all if one.key == key and one.usable), None)

    def holding(self, path: str) -> list[Resident]:
        """Return the usable residents of a model file."""
        return [one for one in self._all if one.key.path == path and one.usable]

    async def join(self, key: ModelKey, keep_alive_s: float | None, tell: Tell) -> Resident:
        """Return the loaded model for `key`, counting the caller as a user of it; loads it when nobody has."""
        resident = await self._admit(key, tell)
        resident.keep_alive_s = keep_alive_s
        try:
            await _settled(resident, tell)
        except BaseException:
            self.leave(resident)
            raise
        return resident

    def leave(self, resident: Resident) -> None:
        """Undo `join`. What nobody waits for is not loaded further; what nobody uses ends after its time."""
        resident.users -= 1
        resident.used_at = time.monotonic()
        if not resident.users:
            self._idle(resident)
        self._changed()

    def _idle(self, resident: Resident) -> None:
        keep_alive = resident.keep_alive_s
        if resident.retired or not resident.settled.is_set() or keep_alive == 0:
            resident.end()
        elif keep_alive is not None and keep_alive > 0:
            resident.expiry = anyio.CancelScope()
            self._tasks.start_soon(_expire, resident, resident.expiry)

    def answered(self, resident: Resident) -> None:
        """Take note that a model works."""
        self._crashes.answered(resident.key)

    async def unload(self, path: str, answers: Literal["finish", "end"]) -> list[int | None]:
        """End the workers of a model file, and return how much memory each had, where the system tells.

        Who comes later has the model loaded anew.
        """
        present = [one for one in self._all if one.key.path == path]
        leaving = [one for one in present if one.alive]
        held = [one.held_bytes() for one in leaving]
        for one in leaving:
            one.retired = True
            if answers == "end":
                one.end(SidecarError("engine_crashed", "The model was unloaded while it was in use."))
            elif not one.users:
                one.end()
        await _gone(present)
        return held

    async def end(self) -> None:
        """End all workers now."""
        for resident in self._all:
            resident.end(SidecarError("shutting_down", "The sidecar is ending."))
        await _gone(self._all)

    async def _admit(self, key: ModelKey, tell: Tell) -> Resident:
        newcomer = None if self.find(key) else await self._prepared(key)
        if not self._admission.value:
            await tell(Status(state="queued"))
        async with self._admission:
            resident = self.find(key)
            if resident is None:
                resident = newcomer or await self._prepared(key)
                await self._make_room(resident, tell)
                self._start(resident)
            resident.users += 1
        if resident.expiry is not None:
            resident.expiry.cancel()
        return resident

    async def _prepared(self, key: ModelKey) -> Resident:
        """Return a model to be loaded; raises `SidecarError` for one that is not worth a try."""
        await _gone(one for one in self._all if one.key == key and not one.alive)
        self._crashes.check(key, time.monotonic())
        resident = Resident(key, await inspect(key.path))
        self._room.check(resident)
        return resident

    async def _make_room(self, newcomer: Resident, tell: Tell) -> None:
        while not self._room.has(newcomer, self._all):
            idle = [one for one in self._all if not one.users]
            if idle:
                oldest = min(idle, key=lambda one: one.used_at)
                oldest.end()
                await oldest.gone.wait()
            else:
                change = self._change
                await tell(Status(state="queued"))
                await change.wait()

    def _start(self, resident: Resident) -> None:
        self._all.append(resident)
        self._tasks.start_soon(self._host, resident)

    async def _host(self, resident: Resident) -> None:
        try:
            await resident.run(self._argv, self._load_ms)
        finally:
            self._all.remove(resident)
            if crash := resident.crash:
                self._crashes.crashed(resident.key, crash, time.monotonic())
            self._changed()

    def _changed(self) -> None:
        self._change.set()
        self._change = anyio.Event()


async def _gone(leaving: Iterable[Resident]) -> None:
    for one in list(leaving):
        await one.gone.wait()


async def _expire(resident: Resident, scope: anyio.CancelScope) -> None:
    with scope:
        await anyio.sleep(resident.keep_alive_s or 0)
        if not resident.users:
            resident.end()


async def _settled(resident: Resident, tell: Tell) -> None:
    """Wait until the model is loaded, telling how far it is; raises why it is not."""
    if not resident.settled.is_set():
        await _watch(resident, tell)
    if fault := resident.fault:
        raise SidecarError(fault.type, fault.message, **fault.details)


async def _watch(resident: Resident, tell: Tell) -> None:
    shown = 0.0
    await tell(Status(state="loading_model", progress=shown))
    while not resident.settled.is_set():
        with anyio.move_on_after(PROGRESS_S):
            await resident.settled.wait()
        progress = 1.0 if resident.loaded else resident.progress()
        if progress >= shown + PROGRESS_STEP:
            shown = progress
            await tell(Status(state="loading_model", progress=round(shown, 2)))

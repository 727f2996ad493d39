"""Engines, each made when it is first needed, off the loop: what they import takes longer than others should wait."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

from sidecar.concurrency import TaskGroup
from sidecar.handler import Call, Completion, Emit, Engine
from sidecar.schema.errors import SidecarError

log: Final = logging.getLogger("sidecar.engines")

Maker = Callable[[], AbstractAsyncContextManager[Engine]]


class Shelf:
    """Engines by name. A maker runs in a thread, once; what it returns is entered and left by one task of `tasks`."""

    def __init__(self, makers: Mapping[str, Maker], tasks: TaskGroup) -> None:
        self._makers = makers
        self._tasks = tasks
        self._engines: dict[str, Engine] = {}
        self._making: dict[str, asyncio.Event] = {}

    def prefetch(self, name: str) -> None:
        """Begin to make an engine that will be needed."""
        if name not in self._engines and name not in self._making:
            self._making[name] = asyncio.Event()
            self._tasks.start_soon(self._keep, name)

    async def get(self, name: str) -> Engine:
        """Return the engine, made if need be."""
        if name not in self._engines:
            self.prefetch(name)
            await self._making[name].wait()
        engine = self._engines.get(name)
        if engine is None:
            raise SidecarError("engine_unavailable", "A part of the sidecar could not be loaded; its log says which.")
        return engine

    async def chat(self, call: Call, emit: Emit) -> Completion:
        """Hand the call to the engine of its target."""
        name = call.target.provider.engine
        engine = self._engines.get(name) or await self.get(name)
        return await engine.chat(call, emit)

    async def _keep(self, name: str) -> None:
        try:
            made = await asyncio.to_thread(self._makers[name])
        except (ImportError, SidecarError):
            log.exception("the engine %s could not be loaded", name)
            self._making.pop(name).set()
            return
        async with made as engine:
            self._engines[name] = engine
            self._making.pop(name).set()
            await asyncio.Event().wait()

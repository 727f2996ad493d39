"""Engines are made once, when they are needed, and left when the session ends."""

import threading
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import anyio
import pytest

from sidecar.engines.scripted import ScriptedEngine
from sidecar.engines.shelf import Shelf
from sidecar.handler import Engine
from sidecar.schema.errors import SidecarError

pytestmark = pytest.mark.anyio


class Maker:
    """Makes scripted engines, and keeps the threads in which it did."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.left: list[Engine] = []

    def __call__(self) -> AbstractAsyncContextManager[Engine]:
        self.threads.append(threading.current_thread())
        return self._kept()

    @asynccontextmanager
    async def _kept(self) -> AsyncIterator[Engine]:
        engine = cast("Any", ScriptedEngine())
        yield_engine: Engine = engine
        try:
            yield yield_engine
        finally:
            self.left.append(engine)


async def test_an_engine_is_made_once_off_the_loop_however_many_ask_for_it() -> None:
    maker, got = Maker(), []

    async def ask(shelf: Shelf) -> None:
        got.append(await shelf.get("one"))

    async with anyio.create_task_group() as tasks:
        shelf = Shelf({"one": maker}, tasks)
        async with anyio.create_task_group() as askers:
            for _ in range(10):
                askers.start_soon(ask, shelf)
        assert len(set(map(id, got))) == 1
        assert maker.threads != [threading.main_thread()]
        assert len(maker.threads) == 1
        tasks.cancel_scope.cancel()
    assert maker.left == got[:1]


async def test_an_engine_that_was_prefetched_is_there() -> None:
    maker = Maker()
    async with anyio.create_task_group() as tasks:
        shelf = Shelf({"one": maker}, tasks)
        shelf.prefetch("one")
        shelf.prefetch("one")
        await shelf.get("one")
        assert len(maker.threads) == 1
        tasks.cancel_scope.cancel()


async def test_a_part_that_cannot_be_imported_is_an_error_and_is_tried_again() -> None:
    tries: list[int] = []

    def broken() -> AbstractAsyncContextManager[Engine]:
        tries.append(1)
        raise ImportError("no such module")

    async with anyio.create_task_group() as tasks:
        shelf = Shelf({"one": broken}, tasks)
        for _ in range(2):
            with pytest.raises(SidecarError) as caught:
                await shelf.get("one")
            assert caught.value.type == "engine_unavailable"
        assert len(tries) == 2

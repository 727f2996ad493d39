"""A worker with the real model, asked several things at once over its own protocol."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import anyio
from anyio.abc import TaskGroup
from local_models import MODEL, REAL
from msgspec import structs

from sidecar.engines.llama.process import Exchange, Worker
from sidecar.engines.llama.protocol import (
    Cancel,
    Chat,
    Count,
    Delta,
    Done,
    Load,
    Loaded,
    Report,
    RuntimeName,
    Sampling,
    Turn,
)
from sidecar.schema.errors import SidecarError


class Asked:
    """A command and what came of it. `spoke` is set by the first words, `ended` by the end; both have a number."""

    def __init__(self, exchange: Exchange, clock: "count[int]") -> None:
        self._exchange = exchange
        self._clock = clock
        self.text = ""
        self.outcome: Report | SidecarError | None = None
        self.spoke, self.ended = anyio.Event(), anyio.Event()
        self.spoke_at = self.ended_at = 0

    async def run(self, command: Chat | Count) -> None:
        self._exchange.send(command)
        while self.outcome is None:
            try:
                self._hear(await self._exchange.next())
            except SidecarError as error:
                self.outcome = error
        self._exchange.close()
        self.ended_at = next(self._clock)
        self.ended.set()

    def _hear(self, report: Report) -> None:
        if not isinstance(report, Delta):
            self.outcome = report
            return
        self.text += report.text
        self.spoke_at = self.spoke_at or next(self._clock)
        self.spoke.set()

    async def cancel(self) -> None:
        """Cancel it, and wait for its end."""
        self._exchange.send(Cancel(self._exchange.id))
        await self.ended.wait()

    @property
    def done(self) -> Done:
        assert isinstance(self.outcome, Done), self.outcome
        return self.outcome

    @property
    def failure(self) -> SidecarError:
        assert isinstance(self.outcome, SidecarError), self.outcome
        return self.outcome


class Conversations:
    """A worker whose model is loaded."""

    def __init__(self, worker: Worker, tasks: TaskGroup, loaded: Loaded) -> None:
        self.loaded = loaded
        self._worker = worker
        self._tasks = tasks
        self._clock = count(1)

    def ask(self, content: str, **options: Any) -> Asked:
        """Begin a chat."""
        exchange = self._worker.open()
        options["sampling"] = Sampling(**({"temperature": 0} | options.pop("sampling", {})))
        return self._begin(exchange, Chat(exchange.id, [Turn("user", content)], **options))

    def repeat(self, words: str, content: str = "Speak!", **options: Any) -> Asked:
        """Begin a chat whose answer can only be `words`, as a JSON string."""
        return self.ask(content, schema={"const": words}, **options)

    def count(self, content: str) -> Asked:
        """Begin to count tokens."""
        exchange = self._worker.open()
        return self._begin(exchange, Count(exchange.id, [Turn("user", content)]))

    def _begin(self, exchange: Exchange, command: Chat | Count) -> Asked:
        asked = Asked(exchange, self._clock)
        self._tasks.start_soon(asked.run, command)
        return asked


@asynccontextmanager
async def conversations(
    runtime: RuntimeName, parallel: int = 4, context_size: int = 2048
) -> AsyncIterator[Conversations]:
    """Run a worker that takes so many chats at once; leaving waits for all of them."""
    with anyio.fail_after(120):
        worker = await Worker.spawn(REAL)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(worker.run)
            loaded = await _load(worker, Load(0, runtime, str(MODEL), context_size, threads=1, parallel=parallel))
            async with anyio.create_task_group() as asking:
                yield Conversations(worker, asking, loaded)
            tasks.cancel_scope.cancel()


async def _load(worker: Worker, command: Load) -> Loaded:
    exchange = worker.open()
    try:
        exchange.send(structs.replace(command, id=exchange.id))
        loaded = await exchange.next()
    finally:
        exchange.close()
    assert isinstance(loaded, Loaded)
    return loaded

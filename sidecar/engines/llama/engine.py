"""Local models as an engine: llama.cpp in worker processes, so that its death costs an answer and not the sidecar."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import anyio

from sidecar.engines.llama.local import LocalModels


@asynccontextmanager
async def llama_engine(argv: Sequence[str] | None = None, load_ms: int = 600_000) -> AsyncGenerator[LocalModels, None]:
    """Give the engine of local models, and end its workers when it is left.

    To be entered and left by one task, in the main thread. `argv` starts a worker; `load_ms` bounds how long one may
    take to load.
    """
    async with anyio.create_task_group() as tasks:
        engine = LocalModels(tasks, load_ms, argv)
        try:
            yield engine
        finally:
            await engine.close()
            tasks.cancel_scope.cancel()

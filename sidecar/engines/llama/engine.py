"""Local models as an engine: llama.cpp in worker processes, so that its death costs an answer and not the sidecar."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import anyio

from sidecar.engines.llama.local import Files, LocalModels
from sidecar.engines.llama.room import room


@asynccontextmanager
async def llama_engine(
    argv: Sequence[str] | None = None, load_ms: int = 600_000, memory_bytes: int = 0, *, files: Files | None = None
) -> AsyncGenerator[LocalModels, None]:
    """Give the engine of local models, and end its workers when it is left.

    To be entered and left by one task, in the main thread. `argv` starts a worker; `load_ms` bounds how long one may
    take to load, `memory_bytes` what all may take of the memory, where 0 is a share of what this machine has. `files`
    finds the models there are, beside the configured one.
    """
    async with anyio.create_task_group() as tasks:
        engine = LocalModels(tasks, load_ms, room(memory_bytes), argv, files=files)
        try:
            yield engine
        finally:
            await engine.close()
            tasks.cancel_scope.cancel()

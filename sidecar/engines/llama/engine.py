"""Local models as an engine: llama.cpp in worker processes, so that its death costs an answer and not the sidecar."""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio

from sidecar.handler import Call, Completion, Emit, Target
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import TestStage

if TYPE_CHECKING:
    from sidecar.engines.llama.local import LocalModels, Progress
    from sidecar.engines.llama.protocol import Loaded


class LlamaEngine:
    """Runs the model file of a target whose configuration is a `LocalConfig`.

    An async context manager, entered and left by one task in the main thread: it owns the worker processes. `argv`
    starts a worker; `load_ms` bounds how long one may take to load.
    """

    def __init__(self, argv: Sequence[str] | None = None, load_ms: int = 600_000) -> None:
        self._argv = argv
        self._load_ms = load_ms
        self._opened: LocalModels | None = None

    async def __aenter__(self) -> Self:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(None, None, None)

    async def chat(self, call: Call, emit: Emit) -> Completion:
        """Answer a chat; the model is loaded first where it is not."""
        return await self._models().chat(call, emit)

    async def models(self, target: Target) -> list[ModelInfo]:
        """Return the one model that the file holds."""
        return await self._models().describe(target)

    async def check(self, target: Target) -> list[TestStage]:
        """Test the model file's header, then whether a worker can import the engine; nothing is loaded."""
        return await self._models().check(target)

    async def load(self, target: Target, progress: "Progress") -> "Loaded":
        """Load the model ahead of its first use; returns at once when it is loaded."""
        return await self._models().load(target, progress)

    async def unload(self, target: Target) -> bool:
        """Free the memory of the model, after answers in progress; returns whether there was any."""
        return await self._models().unload(target)

    async def close(self) -> None:
        """End all workers now, and with them what they were answering."""
        if self._opened is not None:
            await self._opened.close()

    def _models(self) -> "LocalModels":
        """Import the rest with the first use: most sessions never ask a local model."""
        if self._opened is None:
            from sidecar.engines.llama.local import LocalModels

            self._opened = LocalModels(self._tasks, self._load_ms, self._argv)
        return self._opened

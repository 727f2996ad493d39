"""A model in memory: a worker that loads it, and those who use it."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import anyio
from msgspec import Struct

from sidecar.engines.llama import faults, footprint, protocol
from sidecar.engines.llama.gguf import ModelFile
from sidecar.engines.llama.process import Exchange, Worker
from sidecar.engines.llama.protocol import Pooling, RuntimeChoice
from sidecar.engines.llama.runtimes import BATCH, whole_batch
from sidecar.schema.errors import SidecarError

VECTOR_CONTEXT: Final = 2_048
"""The longest text, in tokens, of which a model made for chat makes a vector. It is evaluated at once, and llama.cpp
meanwhile holds two numbers for each of its tokens and each token of the vocabulary."""

POOLINGS: Final[dict[str | None, Pooling]] = {
    None: "mean",
    "none": "mean",
    "mean": "mean",
    "cls": "cls",
    "last": "last",
}

WORKER_BYTES: Final = 32 << 20
"""What a worker takes before it loads a model."""
LOG_S: Final = 3.0
ALMOST: Final = 0.99


class ModelKey(Struct, frozen=True):
    """What makes two requests share a worker."""

    path: str
    context_size: int | None
    threads: int | None
    gpu_layers: int | None
    runtime: RuntimeChoice
    purpose: Literal["chat", "vectors"] = "chat"
    parallel: int = 1


class Resident:
    """A model in a worker of its own, from the first request for it to the end of the process.

    `settled` is set once the model is loaded (`loaded`) or never will be (`fault`); `gone` when the process has ended.
    `estimate` is how many bytes it will take. Of its `users`, so many are `answering`; others wait, or have left while
    the worker is not done with them. Those that it does not get done with are `stuck`.

    Raises `SidecarError("unsupported_feature")` for a model that cannot serve the key's purpose.
    """

    def __init__(self, key: ModelKey, file: ModelFile) -> None:
        self.key = key
        self.file = file
        self.pooling: Pooling | None = _pooling(file, Path(key.path).name) if key.purpose == "vectors" else None
        self.context_size = self._context_size()
        self.estimate = footprint.estimate(file, self.context_size, whole_batch(self._command(0)) or BATCH)
        self.users = 0
        self.answering = 0
        self.stuck = 0
        self.used_at = 0.0
        self.keep_alive_s: float | None = None
        self.expiry: anyio.CancelScope | None = None
        self.retired = False
        self.turn = anyio.Semaphore(1)
        self.settled = anyio.Event()
        self.gone = anyio.Event()
        self.loaded: protocol.Loaded | None = None
        self.load_ms = 0
        self.fault: SidecarError | None = None
        self._worker: Worker | None = None
        self._life = anyio.CancelScope()

    @property
    def usable(self) -> bool:
        """Whether new requests may come here: the model is loaded or about to be."""
        return self.alive and not self.retired

    @property
    def alive(self) -> bool:
        """Whether the worker is running or about to be."""
        dead = self._worker is not None and self._worker.ended.is_set()
        return not (dead or self._life.cancel_called or self.gone.is_set() or self.fault)

    @property
    def crash(self) -> SidecarError | None:
        """Why the worker died, if it did so by itself."""
        return self._worker.fault() if self._worker is not None and self._worker.crashed else None

    def open(self) -> Exchange:
        """Return a new exchange with the worker, which must be there."""
        assert self._worker is not None
        return self._worker.open()

    def end(self, verdict: SidecarError | None = None) -> None:
        """End the worker now; `gone` tells when it is. Who waits for the model or an answer is told the verdict."""
        self.retired = True
        self.fault = self.fault or verdict
        if self._worker is not None:
            self._worker.verdict = verdict
        self._life.cancel()

    def end_if_stuck(self) -> None:
        """End a worker that somebody is stuck in, once nobody else is being answered by it."""
        if self.stuck and not self.answering:
            self.end()

    def held_bytes(self) -> int | None:
        """Return how much memory the worker has, where the system tells."""
        return None if self._worker is None else self._worker.resident_bytes()

    def progress(self) -> float:
        """Estimate how much is loaded, from the memory of the worker; 0 where the system does not tell."""
        held = self.held_bytes() or 0
        return min(max(held - WORKER_BYTES, 0) / self.file.size_bytes, ALMOST)

    async def run(self, argv: Sequence[str], load_ms: int) -> None:
        """Start the worker, load the model, and stay until the worker ends or is ended."""
        try:
            with self._life:
                self._worker = await Worker.spawn(argv)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._worker.run)
                    await self._load(self._worker, load_ms)
        except SidecarError as error:
            self.fault = error
        finally:
            self.fault = self.fault or SidecarError("engine_crashed", "The local engine was ended.")
            self.settled.set()
            self.gone.set()

    async def _load(self, worker: Worker, load_ms: int) -> None:
        exchange, started = worker.open(), time.monotonic()
        try:
            with anyio.fail_after(load_ms / 1000):
                exchange.send(self._command(exchange.id))
                report = await exchange.next()
        except TimeoutError:
            self.fault = SidecarError("timeout", f"Loading the model took longer than {load_ms} ms.", stage="total")
            return self.end()
        except SidecarError as error:
            # The worker ends after a failure, and its log is whole then.
            with anyio.move_on_after(LOG_S):
                await worker.ended.wait()
            self.fault = faults.not_loaded(error, Path(self.key.path).name, worker.log)
            return self.end()
        finally:
            exchange.close()
        assert isinstance(report, protocol.Loaded)
        self.loaded, self.turn = report, anyio.Semaphore(report.parallel)
        self.load_ms = round((time.monotonic() - started) * 1000)
        self.settled.set()
        return None

    def _command(self, exchange_id: int) -> protocol.Load:
        return protocol.Load(
            exchange_id,
            runtime=self.key.runtime,
            path=self.key.path,
            context_size=self.context_size,
            threads=self.key.threads or max(1, _processors() - 1),
            gpu_layers=self.key.gpu_layers,
            pooling=self.pooling,
            parallel=self.key.parallel,
        )

    def _context_size(self) -> int:
        size = footprint.context_size(self.key.context_size, self.file.context_length)
        made_for_chat = self.pooling is not None and self.file.pooling is None
        return min(size, VECTOR_CONTEXT) if made_for_chat else size


def _pooling(file: ModelFile, name: str) -> Pooling:
    """Return how the model makes a vector of a text: as its file says, else their mean."""
    if pooling := POOLINGS.get(file.pooling):
        return pooling
    raise SidecarError("unsupported_feature", f"The model file {name} gives scores or the like, not vectors.")


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

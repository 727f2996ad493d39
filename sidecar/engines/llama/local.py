"""Questions to local models: each gets its turn with a worker, is answered, or is cancelled."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal, cast

import anyio
from anyio.abc import TaskGroup
from msgspec import structs

from sidecar.engines.llama import chats, footprint, protocol, runtimes, vectors
from sidecar.engines.llama.lease import Leases
from sidecar.engines.llama.process import Worker, command
from sidecar.engines.llama.resident import ModelKey, Resident
from sidecar.engines.llama.residents import Residents, inspect
from sidecar.engines.llama.room import Room
from sidecar.handler import Call, Completion, Embedded, Emit, Target
from sidecar.providers.local import LocalConfig
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status
from sidecar.schema.loading import LoadedModel, UnloadedModel
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import StageName, TestStage
from sidecar.schema.usage import Cost

CLOSE_S: Final = 2.0
PROBE_S: Final = 20.0


Files = Callable[[Target], Awaitable[list[tuple[str, ModelInfo]]]]
"""Returns the models that a target may mean, each with the path of its file."""


async def _own_file(target: Target) -> list[tuple[str, ModelInfo]]:
    """Return the one model that the target's own file holds."""
    file = await inspect(target.endpoint)
    info = ModelInfo(
        id=target.model,
        provider=target.id,
        name=file.name,
        context_length=file.context_length,
        input_modalities=["text"],
        size_bytes=file.size_bytes,
        memory_bytes=footprint.usual(file),
    )
    return [(target.endpoint, info)]


class LocalModels:
    """An engine: answers with the model file of a target whose configuration is a `LocalConfig`."""

    def __init__(
        self,
        tasks: TaskGroup,
        load_ms: int,
        room: Room,
        argv: Sequence[str] | None = None,
        *,
        files: Files | None = None,
    ) -> None:
        self._files = files or _own_file
        self._argv = command() if argv is None else argv
        self._residents = Residents(tasks, self._argv, load_ms, room)
        self._leases = Leases(tasks, self._residents)

    async def close(self) -> None:
        """End all workers now, and with them what they were answering."""
        with anyio.move_on_after(CLOSE_S, shield=True):
            await self._residents.end()

    async def chat(self, call: Call, emit: Emit) -> Completion:
        """Answer a chat; the model is loaded first where it is not."""
        call.cost = Cost(amount="0", source="free") if call.target.provider.free else None
        try:
            context_size = call.request.context_size or _config(call.target).context_size
            await chats.answer(self._leases, _key(call.target, context_size), call, emit)
        except SidecarError as error:
            error.details = _whose(call.target) | error.details
            raise
        return call.completion()

    async def load(self, target: Target, context_size: int | None, report: Callable[[Status], None]) -> LoadedModel:
        """Load the model where it is not, so that the next question finds it there."""

        async def tell(status: Status) -> None:
            report(status)

        config = _config(target)
        # A model that is to go after its answer waits for one.
        keep_alive_s = config.keep_alive_s or None
        try:
            resident = await self._residents.join(_key(target, context_size or config.context_size), keep_alive_s, tell)
        except SidecarError as error:
            error.details = _whose(target) | error.details
            raise
        try:
            return _loaded(target, resident)
        finally:
            self._residents.leave(resident)

    async def unload(self, target: Target, answers: Literal["finish", "end"]) -> UnloadedModel:
        """End the workers of the model; those who ask later have it loaded anew."""
        held = await self._residents.unload(target.endpoint, answers)
        freed = [count for count in held if count is not None]
        return UnloadedModel(len(held), sum(freed) if freed else None)

    async def models(self, target: Target) -> list[ModelInfo]:
        """Return the models that there are files of, and whether they are in memory."""
        return [self._described(path, info) for path, info in await self._files(target)]

    def _described(self, path: str, info: ModelInfo) -> ModelInfo:
        """Return what is known of a model, its memory as measured where it is loaded."""
        held = [one.held_bytes() for one in self._residents.holding(path) if one.loaded]
        measured = max(filter(None, held), default=info.memory_bytes)
        return structs.replace(info, loaded=bool(held), memory_bytes=measured)

    def holds(self, path: str) -> bool:
        """Tell whether the model in a file is in memory."""
        return any(one.loaded for one in self._residents.holding(path))

    async def embed(self, target: Target, request: EmbeddingRequest) -> Embedded:
        """Return vectors of length 1, made in a worker apart from the one that chats, which shares the file's pages.

        A model made for vectors says how they come from those of its tokens; of any other it is their mean.
        """
        try:
            return await self._embed(target, request)
        except SidecarError as error:
            error.details = _whose(target) | error.details
            raise

    async def _embed(self, target: Target, request: EmbeddingRequest) -> Embedded:
        texts, config = vectors.encode(request, target), _config(target)
        key = structs.replace(_key(target, config.context_size), purpose="vectors", parallel=1)
        lease = await self._leases.take(key, config.keep_alive_s, chats.unheard)
        exchange = lease.resident.open()
        try:
            exchange.send(texts.command(exchange.id))
            return await vectors.collect(exchange, texts, target)
        finally:
            await lease.end(exchange)

    async def count_tokens(self, call: Call) -> int | None:
        """Count with the model where it is in memory, or else leave it to an estimate."""
        held = self._residents.holding(call.target.endpoint)
        counting = next((one for one in held if one.loaded and one.key.purpose == "chat"), None)
        return None if counting is None else await chats.count(self._leases, counting.key, call)

    async def check(self, target: Target) -> list[TestStage]:
        """Test the model file's header, then whether a worker can import the engine; nothing is loaded."""
        stages = [await _stage("file", inspect(target.endpoint))]
        if stages[-1].ok:
            stages.append(await _stage("engine", self._probe(target)))
        return stages

    async def _probe(self, target: Target) -> None:
        runtime = _config(target).runtime
        runtimes.choose(runtime)
        worker = await Worker.spawn(self._argv)
        answers: list[SidecarError | None] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(worker.run)
            answers.append(await _import(worker, runtime))
            tasks.cancel_scope.cancel()
        for failure in filter(None, answers):
            raise failure


def _loaded(target: Target, resident: Resident) -> LoadedModel:
    assert resident.loaded is not None
    return LoadedModel(
        provider=target.id,
        model=target.model,
        runtime=resident.loaded.runtime,
        context_size=resident.loaded.context_size,
        parallel=resident.loaded.parallel,
        memory_bytes=resident.held_bytes() or resident.estimate,
        load_ms=resident.load_ms,
    )


async def _import(worker: Worker, runtime: protocol.RuntimeChoice) -> SidecarError | None:
    """Return why the worker cannot import its runtime, if it cannot."""
    exchange = worker.open()
    try:
        with anyio.fail_after(PROBE_S):
            exchange.send(protocol.Probe(exchange.id, runtime))
            await exchange.next()
    except TimeoutError:
        return SidecarError("engine_unavailable", "The local engine does not start.")
    except SidecarError as error:
        return error
    finally:
        exchange.close()
    return None


def _whose(target: Target) -> dict[str, str]:
    return {"provider": target.id, "model": target.model}


def _config(target: Target) -> LocalConfig:
    return cast("LocalConfig", target.config)


def _key(target: Target, context_size: int | None) -> ModelKey:
    config = _config(target)
    for param, value, least in (
        ("context_size", context_size, 1),
        ("threads", config.threads, 1),
        ("gpu_layers", config.gpu_layers, -1),
    ):
        if value is not None and value < least:
            raise SidecarError("invalid_params", f"`{param}` must be at least {least}.", param=param)
    settings = (context_size, config.threads, config.gpu_layers, config.runtime)
    return ModelKey(target.endpoint, *settings, parallel=config.parallel)


async def _stage(name: StageName, work: Awaitable[object]) -> TestStage:
    started = time.monotonic()
    error = None
    try:
        await work
    except SidecarError as failure:
        error = failure.to_object()
    ms = round((time.monotonic() - started) * 1000)
    return TestStage(name, ok=error is None, ms=ms, error=error, hint=error.data.hint if error else None)

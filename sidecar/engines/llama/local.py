"""Questions to local models: each gets its turn with a worker, is answered, or is cancelled."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, cast

import anyio
from anyio.abc import TaskGroup
from msgspec import structs

from sidecar.engines.llama import protocol, request, runtimes, vectors
from sidecar.engines.llama.lease import Leases
from sidecar.engines.llama.process import Exchange, Worker, command
from sidecar.engines.llama.resident import ModelKey, Resident
from sidecar.engines.llama.residents import Residents, inspect
from sidecar.handler import Call, Completion, Embedded, Emit, Target, tell
from sidecar.providers.local import LocalConfig
from sidecar.schema.chat import FinishReason, Reason, Warning
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import ReasoningDelta, Status, StreamEvent, TextDelta, UsageDelta
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import StageName, TestStage
from sidecar.schema.usage import Cost

CLOSE_S: Final = 2.0
PROBE_S: Final = 20.0

DELTAS: Final[dict[protocol.Kind, type[TextDelta | ReasoningDelta]]] = {"text": TextDelta, "reasoning": ReasoningDelta}
FINISHES: Final[dict[protocol.Finish, Reason]] = {"stop": "stop", "length": "length", "cancelled": "cancelled"}


class LocalModels:
    """An engine: answers with the model file of a target whose configuration is a `LocalConfig`."""

    def __init__(self, tasks: TaskGroup, load_ms: int, argv: Sequence[str] | None = None) -> None:
        self._argv = command() if argv is None else argv
        self._residents = Residents(tasks, self._argv, load_ms)
        self._leases = Leases(tasks, self._residents)

    async def close(self) -> None:
        """End all workers now, and with them what they were answering."""
        with anyio.move_on_after(CLOSE_S, shield=True):
            await self._residents.end()

    async def chat(self, call: Call, emit: Emit) -> Completion:
        """Answer a chat; the model is loaded first where it is not."""
        call.cost = Cost(amount="0", source="free") if call.target.provider.free else None
        try:
            await self._chat(call, emit)
        except SidecarError as error:
            error.details = _whose(call.target) | error.details
            raise
        return call.completion()

    async def _chat(self, call: Call, emit: Emit) -> None:
        async def say(event: StreamEvent) -> None:
            call.transcript.add(event)
            await tell(emit, event)

        chat, warnings = request.encode(call.request, call.target)
        for warning in warnings:
            await say(warning)
        wanted = call.request.context_size or _config(call.target).context_size
        lease = await self._leases.take(_key(call.target, wanted), _config(call.target).keep_alive_s, say)
        exchange = lease.resident.open()
        try:
            if reduced := _reduced(wanted, lease.resident):
                await say(reduced)
            await exchange.send(structs.replace(chat, id=exchange.id))
            await say(Status(state="waiting_first_token"))
            await _relay(exchange, say)
        finally:
            if done := await lease.end(exchange):
                call.transcript.add(_usage(done))

    async def models(self, target: Target) -> list[ModelInfo]:
        """Return the one model that the file holds."""
        file = await inspect(target.endpoint)
        held = self._residents.holding(target.endpoint)
        info = ModelInfo(
            id=target.model,
            provider=target.id,
            name=file.name,
            context_length=file.context_length,
            input_modalities=["text"],
            size_bytes=file.size_bytes,
            loaded=any(one.loaded for one in held),
        )
        return [info]

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
        key = structs.replace(_key(target, config.context_size), purpose="vectors")
        lease = await self._leases.take(key, config.keep_alive_s, _unheard)
        exchange = lease.resident.open()
        try:
            await exchange.send(texts.command(exchange.id))
            return await vectors.collect(exchange, texts, target)
        finally:
            await lease.end(exchange)

    async def count_tokens(self, call: Call) -> int | None:
        """Leave it to an estimate."""
        del call
        return None

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


def _reduced(wanted: int | None, resident: Resident) -> Warning | None:
    """Tell when the model has less context than was asked for."""
    given = resident.loaded.context_size if resident.loaded else None
    if wanted is None or given is None or given >= wanted:
        return None
    message = f"The model was trained for a context of {given} tokens; {wanted} were asked for."
    return Warning("context_size_reduced", message, "context_size")


async def _import(worker: Worker, runtime: protocol.RuntimeChoice) -> SidecarError | None:
    """Return why the worker cannot import its runtime, if it cannot."""
    exchange = worker.open()
    try:
        with anyio.fail_after(PROBE_S):
            await exchange.send(protocol.Probe(exchange.id, runtime))
            await exchange.next()
    except TimeoutError:
        return SidecarError("engine_unavailable", "The local engine does not start.")
    except SidecarError as error:
        return error
    finally:
        exchange.close()
    return None


async def _relay(exchange: Exchange, say: Callable[[StreamEvent], Awaitable[None]]) -> None:
    """Pass on the answer to its end."""
    indexes: dict[protocol.Kind, int] = {}
    while True:
        report = await exchange.next()
        if isinstance(report, protocol.Delta):
            index = indexes.setdefault(report.kind, len(indexes))
            await say(DELTAS[report.kind](index, report.text))
            continue
        assert isinstance(report, protocol.Done)
        await say(_usage(report))
        await say(FinishReason(FINISHES[report.finish], report.finish))
        return


def _usage(done: protocol.Done) -> UsageDelta:
    return UsageDelta(
        input_tokens=done.prompt_tokens,
        output_tokens=done.completion_tokens,
        cache_read_tokens=done.cached_tokens,
    )


async def _unheard(status: Status) -> None:
    """Tell nobody: who asks for vectors hears nothing before they are there."""
    del status


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
    return ModelKey(target.endpoint, context_size, config.threads, config.gpu_layers, config.runtime)


async def _stage(name: StageName, work: Awaitable[object]) -> TestStage:
    started = time.monotonic()
    error = None
    try:
        await work
    except SidecarError as failure:
        error = failure.to_object()
    ms = round((time.monotonic() - started) * 1000)
    return TestStage(name, ok=error is None, ms=ms, error=error, hint=error.data.hint if error else None)

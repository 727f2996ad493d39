"""Questions to local models: each gets its turn with a worker, is answered, or is cancelled."""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, cast

import anyio
from anyio.abc import TaskGroup
from msgspec import structs

from sidecar.engines.llama import protocol, request, runtimes
from sidecar.engines.llama.process import Exchange, Worker, command
from sidecar.engines.llama.resident import ModelKey, Resident
from sidecar.engines.llama.residents import Residents, inspect
from sidecar.handler import Call, Completion, Emit, Target
from sidecar.schema.chat import FinishReason, Reason, Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import ReasoningDelta, Status, StreamEvent, TextDelta, UsageDelta
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import LocalConfig, StageName, TestStage
from sidecar.schema.usage import Cost

CONFIRM_S: Final = 0.05
"""How long a cancelled request waits for the worker's word, which brings the token counts."""

DRAIN_S: Final = 15.0
"""How long a worker may take to come to a border at which it can stop; others wait for it meanwhile."""

CLOSE_S: Final = 2.0
PROBE_S: Final = 20.0

DELTAS: Final[dict[protocol.Kind, type[TextDelta | ReasoningDelta]]] = {"text": TextDelta, "reasoning": ReasoningDelta}
FINISHES: Final[dict[protocol.Finish, Reason]] = {"stop": "stop", "length": "length", "cancelled": "cancelled"}


class LocalModels:
    """An engine: answers with the model file of a target whose configuration is a `LocalConfig`."""

    def __init__(self, tasks: TaskGroup, load_ms: int, argv: Sequence[str] | None = None) -> None:
        self._tasks = tasks
        self._argv = command() if argv is None else argv
        self._residents = Residents(tasks, self._argv, load_ms)

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
            error.details = {"provider": call.target.id, "model": call.target.model} | error.details
            raise
        return call.completion()

    async def _chat(self, call: Call, emit: Emit) -> None:
        async def tell(event: StreamEvent) -> None:
            call.transcript.add(event)
            await emit(event)

        chat, warnings = request.encode(call.request, call.target)
        for warning in warnings:
            await tell(warning)
        lease = await self._lease(call.target, tell)
        if reduced := _reduced(_config(call.target).context_size, lease.resident):
            await tell(reduced)
        await self._answer(lease, chat, call, tell)

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

    async def _lease(self, target: Target, tell: Callable[[Status], Awaitable[None]]) -> "_Lease":
        """Return the loaded model when it is the caller's turn; a model that died meanwhile is loaded anew."""
        residents, key, keep_alive_s = self._residents, _key(target), _config(target).keep_alive_s
        while True:
            resident = await residents.join(key, keep_alive_s, tell)
            lease = _Lease(residents, resident)
            try:
                await lease.take_turn(tell)
            except BaseException:
                residents.leave(resident)
                raise
            if resident.alive:
                return lease
            lease.release()

    async def _answer(
        self, lease: "_Lease", chat: protocol.Chat, call: Call, tell: Callable[[StreamEvent], Awaitable[None]]
    ) -> None:
        exchange = lease.resident.open()
        try:
            await exchange.send(structs.replace(chat, id=exchange.id))
            await tell(Status(state="waiting_first_token"))
            await _relay(exchange, tell)
        finally:
            if exchange.finished:
                _finish(lease, exchange)
            else:
                await self._abandon(lease, exchange, call)

    async def _abandon(self, lease: "_Lease", exchange: Exchange, call: Call) -> None:
        """Cancel; a worker that is slow to confirm is waited for by those who come next, not by the caller."""
        with anyio.move_on_after(CONFIRM_S, shield=True), suppress(SidecarError):
            await exchange.send(protocol.Cancel(exchange.id))
            report = await exchange.last()
            if isinstance(report, protocol.Done):
                call.transcript.add(_usage(report))
        if exchange.finished:
            _finish(lease, exchange)
        else:
            self._tasks.start_soon(_drain, lease, exchange)


def _reduced(wanted: int | None, resident: Resident) -> Warning | None:
    """Tell when the model has less context than was asked for."""
    given = resident.loaded.context_size if resident.loaded else None
    if wanted is None or given is None or given >= wanted:
        return None
    message = f"The model was trained for a context of {given} tokens; {wanted} were asked for."
    return Warning("context_size_reduced", message, "context_size")


class _Lease:
    """The right to ask a model, held by one request at a time."""

    def __init__(self, residents: Residents, resident: Resident) -> None:
        self.resident = resident
        self._residents = residents

    async def take_turn(self, tell: Callable[[Status], Awaitable[None]]) -> None:
        """Wait until nobody else holds the right."""
        if not self.resident.turn.value:
            await tell(Status(state="queued"))
        await self.resident.turn.acquire()

    def release(self) -> None:
        """Give the turn to the next in line."""
        self.resident.turn.release()
        self._residents.leave(self.resident)


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


async def _drain(lease: _Lease, exchange: Exchange) -> None:
    """Keep the turn until the worker has stopped; end it when it does not."""
    try:
        with anyio.move_on_after(DRAIN_S), suppress(SidecarError):
            await exchange.last()
        if not exchange.finished:
            lease.resident.end()
    finally:
        _finish(lease, exchange)


def _finish(lease: _Lease, exchange: Exchange) -> None:
    exchange.close()
    lease.release()


async def _relay(exchange: Exchange, tell: Callable[[StreamEvent], Awaitable[None]]) -> None:
    """Pass on the answer to its end."""
    indexes: dict[protocol.Kind, int] = {}
    while True:
        report = await exchange.next()
        if isinstance(report, protocol.Delta):
            index = indexes.setdefault(report.kind, len(indexes))
            await tell(DELTAS[report.kind](index, report.text))
            continue
        assert isinstance(report, protocol.Done)
        await tell(_usage(report))
        await tell(FinishReason(FINISHES[report.finish], report.finish))
        return


def _usage(done: protocol.Done) -> UsageDelta:
    return UsageDelta(
        input_tokens=done.prompt_tokens,
        output_tokens=done.completion_tokens,
        cache_read_tokens=done.cached_tokens,
    )


def _config(target: Target) -> LocalConfig:
    return cast("LocalConfig", target.config)


def _key(target: Target) -> ModelKey:
    config = _config(target)
    for param, value, least in (
        ("context_size", config.context_size, 1),
        ("threads", config.threads, 1),
        ("gpu_layers", config.gpu_layers, -1),
    ):
        if value is not None and value < least:
            raise SidecarError("invalid_params", f"`{param}` must be at least {least}.", param=param)
    return ModelKey(target.endpoint, config.context_size, config.threads, config.gpu_layers, config.runtime)


async def _stage(name: StageName, work: Awaitable[object]) -> TestStage:
    started = time.monotonic()
    error = None
    try:
        await work
    except SidecarError as failure:
        error = failure.to_object()
    ms = round((time.monotonic() - started) * 1000)
    return TestStage(name, ok=error is None, ms=ms, error=error, hint=error.data.hint if error else None)

"""One question to a model: asked when it is its turn, answered in stream events."""

from collections.abc import Awaitable, Callable
from typing import cast

from anyio import to_thread
from msgspec import structs

from sidecar.engines.llama import protocol, request
from sidecar.engines.llama.chat_template import template_of
from sidecar.engines.llama.lease import Lease, Leases
from sidecar.engines.llama.loading import Loading
from sidecar.engines.llama.process import Exchange
from sidecar.engines.llama.request import Asked
from sidecar.engines.llama.resident import ModelKey, Resident
from sidecar.engines.llama.spoken import Spoken, usage
from sidecar.handler import Call, Emit, Phases, tell
from sidecar.providers.local import LocalConfig
from sidecar.schema.chat import Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status, StreamEvent

Say = Callable[[StreamEvent], Awaitable[None]]


async def answer(leases: Leases, key: ModelKey, call: Call, emit: Emit) -> None:
    """Emit the answer to a call; the model is loaded first where it is not."""

    async def say(event: StreamEvent) -> None:
        call.transcript.add(event)
        await tell(emit, event)

    asked, loading = await _asked(call), Loading(say)
    for warning in asked.warnings:
        await say(warning)
    lease = await leases.take(key, cast("LocalConfig", call.target.config).keep_alive_s, loading.tell)
    call.phases = Phases(load_ms=loading.stop())
    try:
        await _ask(lease, asked, call, say)
    except SidecarError as error:
        if asked.form.kind == "tools" and error.details.get("param") == "response_format":
            error.details["param"] = "tools"
        raise


async def _asked(call: Call) -> Asked:
    """Return what to ask of the model; its template is read from a disk that may be slow."""
    template = await to_thread.run_sync(template_of, call.target.endpoint, abandon_on_cancel=True)
    return request.encode(call.request, call.target, template)


async def _ask(lease: Lease, asked: Asked, call: Call, say: Say) -> None:
    exchange, done = lease.resident.open(), None
    try:
        if reduced := _reduced(lease.resident):
            await say(reduced)
        exchange.send(structs.replace(asked.chat, id=exchange.id))
        await say(Status(state="waiting_first_token"))
        done = await _relay(exchange, Spoken(asked.form), say)
    finally:
        if cancelled := await lease.end(exchange):
            call.transcript.add(usage(cancelled))
        if (ended := done or cancelled) and call.phases:
            spent = {"prompt_ms": ended.prompt_ms, "generation_ms": ended.generation_ms}
            call.phases = structs.replace(call.phases, **spent)


async def _relay(exchange: Exchange, spoken: Spoken, say: Say) -> protocol.Done | None:
    """Pass on the answer up to its end, which the worker tells, or a stop sequence that it does not know of."""
    while not spoken.stopped:
        report = await exchange.next()
        done = report if isinstance(report, protocol.Done) else None
        for event in spoken.end(done) if done else spoken.add(cast("protocol.Delta", report)):
            await say(event)
        if done:
            return done
    return None


def _reduced(resident: Resident) -> Warning | None:
    """Tell when the model has less context than was asked for."""
    wanted, given = resident.key.context_size, resident.loaded.context_size if resident.loaded else None
    if wanted is None or given is None or given >= wanted:
        return None
    message = f"The model was trained for a context of {given} tokens; {wanted} were asked for."
    return Warning("context_size_reduced", message, "context_size")


async def unheard(status: Status) -> None:
    """Tell nobody: who asks for a count or for vectors hears nothing before they are there."""
    del status


async def count(leases: Leases, key: ModelKey, call: Call) -> int:
    """Return how many tokens a question has for a model that is in memory."""
    chat = (await _asked(call)).chat
    lease = await leases.take(key, cast("LocalConfig", call.target.config).keep_alive_s, unheard)
    exchange = lease.resident.open()
    try:
        exchange.send(protocol.Count(exchange.id, chat.messages, chat.template_options))
        return cast("protocol.Counted", await exchange.next()).tokens
    finally:
        await lease.end(exchange)

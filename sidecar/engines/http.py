"""The engine that asks a server: a dialect's request goes out, the events of the answer come in."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from sidecar.dialects.contract import Aim, Dialect, HttpRequest
from sidecar.engines.addressing import Addressing, PlainHttp
from sidecar.engines.answers import SUCCESSES, Reader, failed, refusal
from sidecar.engines.diagnosis import Diagnosis
from sidecar.engines.reading import Reading
from sidecar.engines.transport import Transport
from sidecar.handler import Call, Completion, Embedded, Emit, Target, tell
from sidecar.schema.chat import ChatRequest
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import TestStage
from sidecar.schema.usage import Cost

CONNECTING: Final = Status(state="connecting")
WAITING: Final = Status(state="waiting_first_token")

MAX_HOPS: Final = 16
"""How many requests an answer may take that comes in several."""


def _unknown(name: str) -> Dialect:
    raise SidecarError("unsupported_feature", f"There is no dialect {name}.")


class HttpEngine:
    """Performs calls over `transport`, each in the dialect that its provider's record and the call itself ask for.

    `load` returns a dialect that is not among `dialects` yet.
    """

    def __init__(
        self,
        transport: Transport,
        dialects: Mapping[str, Dialect],
        plain_http: PlainHttp = "refuse",
        *,
        load: Callable[[str], Dialect] = _unknown,
    ) -> None:
        self._transport = transport
        self._dialects = dict(dialects)
        self._load = load
        self._addressing = Addressing(plain_http)

    async def chat(self, call: Call, emit: Emit) -> Completion:
        """Stream the answer to `call`."""
        dialect = await self._dialect(call.target, call.request)
        try:
            await self._ask(call, dialect, emit)
        except SidecarError as error:
            call.repair = None if call.transcript.started else dialect.repair(error)
            raise _placed(error, call.target) from None
        return call.completion()

    async def _ask(self, call: Call, dialect: Dialect, emit: Emit) -> None:
        """Deliver the answer, and note what the provider says that it cost, also where it breaks off."""
        aim = _aim(call.target)
        encoded = dialect.encode_request(call.request, aim)
        call.structured = encoded.shaping.structured
        reader = Reader(call, dialect, aim, encoded.shaping, emit)
        await reader.deliver(encoded.warnings)
        for _ in range(MAX_HOPS):
            try:
                await self._exchange(call, encoded, reader, emit)
            except SidecarError:
                await reader.give_up()
                raise
            finally:
                call.cost = _cost(call.target, reader.cost)
            further = reader.follow_up(encoded)
            if further is None:
                return
            encoded = further
        raise SidecarError("malformed_response", "The provider's answer does not end.")

    async def _exchange(self, call: Call, encoded: HttpRequest, reader: Reader, emit: Emit) -> None:
        """Send one request, and deliver what it is answered with."""
        question = self._addressing.post(call.target, encoded, partial(_sent, call, emit))
        await tell(emit, CONNECTING)
        try:
            async with self._transport.open(question) as answer:
                call.heard(answer.headers)
                if answer.status not in SUCCESSES:
                    raise refusal(await failed(answer), question, reader.dialect, call.target.config.base_url)
                await reader.read(answer, call.target.endpoint)
        except SidecarError as error:
            if not reader.survives(error):
                raise
        await reader.finish()

    async def models(self, target: Target) -> list[ModelInfo]:
        """Return the models that the server lists."""
        try:
            return await self._reading(target, await self._dialect(target)).models()
        except SidecarError as error:
            raise _placed(error, target) from None

    async def embed(self, target: Target, request: EmbeddingRequest) -> Embedded:
        """Return vectors of the texts."""
        dialect = await self._dialect(target)
        try:
            encoded = dialect.encode_embeddings(request, _aim(target))
            found = dialect.decode_embeddings(await self._reading(target, dialect).post(encoded))
        except SidecarError as error:
            raise _placed(error, target) from None
        return Embedded(found.vectors, found.usage, _cost(target, found.cost), encoded.warnings)

    async def count_tokens(self, call: Call) -> int | None:
        """Return how many tokens the question has, where the provider counts them for nothing."""
        dialect = await self._dialect(call.target, call.request)
        try:
            encoded = dialect.encode_count(call.request, _aim(call.target))
            if encoded is None:
                return None
            return dialect.decode_count(await self._reading(call.target, dialect).post(encoded))
        except SidecarError as error:
            raise _placed(error, call.target) from None

    async def check(self, target: Target) -> list[TestStage]:
        """Try the way to the server step by step; it only reads, so it costs nothing."""
        return await Diagnosis(self._reading(target, await self._dialect(target))).run()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def _dialect(self, target: Target, request: ChatRequest | None = None) -> Dialect:
        """Return the dialect; one that is not there yet is loaded off the loop."""
        name = target.provider.speaks(target.config, request)
        if name not in self._dialects:
            self._dialects[name] = await asyncio.to_thread(self._load, name)
        return self._dialects[name]

    def _reading(self, target: Target, dialect: Dialect) -> Reading:
        return Reading(self._transport, self._addressing, dialect, target)


async def _sent(call: Call, emit: Emit) -> None:
    call.sent = True
    await tell(emit, WAITING)


def _aim(target: Target) -> Aim:
    record = target.provider
    return Aim(
        provider=target.id,
        kind=record.id,
        model=target.model,
        origin=target.origin,
        quirks=record.quirks,
        traits=record.traits(target.config, target.model),
        lacks=target.lacks,
        additions=record.additions(target.config),
    )


def _placed(error: SidecarError, target: Target) -> SidecarError:
    """Say whose failure it is."""
    error.details = {"provider": target.id, "model": target.model or None} | error.details
    return error


def _cost(target: Target, reported: str | None) -> Cost | None:
    """Return what is known of an answer's cost without looking at prices."""
    if reported is not None:
        return Cost(amount=reported, source="provider")
    return Cost(amount="0", source="free") if target.provider.free else None

"""The engine that asks a server: a dialect's request goes out, the events of the answer come in."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from sidecar.dialects.contract import Aim, ChatDialect
from sidecar.engines.addressing import Addressing, PlainHttp
from sidecar.engines.answers import SUCCESSES, Reader, failed, refusal
from sidecar.engines.diagnosis import Diagnosis
from sidecar.engines.reading import Reading
from sidecar.engines.transport import Transport
from sidecar.handler import Call, Completion, Emit, Target
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import TestStage
from sidecar.schema.usage import Cost

CONNECTING: Final = Status(state="connecting")
WAITING: Final = Status(state="waiting_first_token")


class HttpEngine:
    """Performs calls over `transport`, each in the dialect that its provider's record names."""

    def __init__(
        self, transport: Transport, dialects: Mapping[str, ChatDialect], plain_http: PlainHttp = "refuse"
    ) -> None:
        self._transport = transport
        self._dialects = dialects
        self._addressing = Addressing(plain_http)

    async def chat(self, call: Call, emit: Emit) -> Completion:
        """Stream the answer to `call`."""
        try:
            reported = await self._ask(call, emit)
        except SidecarError as error:
            raise _placed(error, call.target) from None
        call.cost = _cost(call.target, reported)
        return call.completion()

    async def _ask(self, call: Call, emit: Emit) -> str | None:
        """Deliver the answer, and return what the provider says that it cost."""
        aim, dialect = _aim(call.target), self._dialect(call.target)
        encoded = dialect.encode_request(call.request, aim)
        reader = Reader(call, dialect.decode_stream(aim), emit)
        await reader.deliver(encoded.warnings)
        question = self._addressing.post(call.target, encoded.path, encoded.body, partial(emit, WAITING))
        await emit(CONNECTING)
        try:
            async with self._transport.open(question) as answer:
                if answer.status not in SUCCESSES:
                    raise refusal(await failed(answer), question, dialect, call.target.endpoint)
                await reader.read(answer, call.target.endpoint, partial(dialect.decode_answer, aim=aim))
        except SidecarError as error:
            if not reader.survives(error):
                raise
        return await reader.finish()

    async def models(self, target: Target) -> list[ModelInfo]:
        """Return the models that the server lists."""
        dialect = self._dialect(target)
        try:
            response = await self._reading(target).get(dialect.models_path)
            return dialect.decode_models(response.body, target.id)
        except SidecarError as error:
            raise _placed(error, target) from None

    async def check(self, target: Target) -> list[TestStage]:
        """Try the way to the server step by step; it only reads, so it costs nothing."""
        return await Diagnosis(self._reading(target)).run()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    def _dialect(self, target: Target) -> ChatDialect:
        return self._dialects[target.provider.dialect]

    def _reading(self, target: Target) -> Reading:
        return Reading(self._transport, self._addressing, self._dialect(target), target)


def _aim(target: Target) -> Aim:
    record = target.provider
    return Aim(provider=target.id, kind=record.id, model=target.model, origin=target.origin, quirks=record.quirks)


def _placed(error: SidecarError, target: Target) -> SidecarError:
    """Say whose failure it is."""
    error.details = {"provider": target.id, "model": target.model or None} | error.details
    return error


def _cost(target: Target, reported: str | None) -> Cost | None:
    """Return what is known of an answer's cost without looking at prices."""
    if reported is not None:
        return Cost(amount=reported, source="provider")
    return Cost(amount="0", source="free") if target.provider.free else None

"""The engine that asks a server: a dialect's request goes out, the events of the answer come in."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

import anyio

from sidecar.dialects.contract import Aim, ChatDialect, HttpResponse, StreamDecoder
from sidecar.engines.addressing import Addressing, PlainHttp, address_hint, redirected
from sidecar.engines.diagnosis import Diagnosis
from sidecar.engines.transport import Incoming, Outgoing, Transport
from sidecar.framing.sse import Framer
from sidecar.handler import Call, Completion, Emit, Target
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import ReasoningDelta, Status, StreamEvent
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import TestStage
from sidecar.schema.usage import Cost

MAX_ERROR_BYTES: Final = 64 << 10
MAX_ANSWER_BYTES: Final = 64 << 20
ERROR_SECONDS: Final = 5
"""How long the body of an error may take; the status alone says enough."""

CONNECTING: Final = Status(state="connecting")
WAITING: Final = Status(state="waiting_first_token")
THINKING: Final = Status(state="thinking")


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
        reader = _Reader(call, emit)
        try:
            await self._ask(call, reader)
        except SidecarError as error:
            raise _told_apart(error, call.target) from None
        call.cost = _cost(call.target, reader.reported_cost)
        return call.completion()

    async def _ask(self, call: Call, reader: "_Reader") -> None:
        target, aim = call.target, _aim(call.target)
        dialect = self._dialect(target)
        encoded = dialect.encode_request(call.request, aim)
        await reader.deliver(encoded.warnings)
        await reader.emit(CONNECTING)
        question = self._addressing.post(target, encoded.path, encoded.body, partial(reader.emit, WAITING))
        decoder = dialect.decode_stream(aim)
        try:
            async with self._transport.open(question) as answer:
                if answer.status >= 300:  # noqa: PLR2004 - where HTTP's successes end
                    raise await _refusal(answer, question, dialect)
                if _is(answer, "text/html"):
                    raise _web_page(target)
                if _is(answer, "application/json"):
                    await reader.deliver(dialect.decode_answer(await _whole(answer), aim))
                    return
                await reader.stream(answer, decoder)
        except SidecarError as error:
            # A connection may be lost behind the end of an answer: the decoder knows.
            if error.type != "stream_interrupted":
                raise
        await reader.finish(decoder)

    async def models(self, target: Target) -> list[ModelInfo]:
        """Return the models that the server lists."""
        dialect = self._dialect(target)
        try:
            response = await self._get(target, dialect.models_path)
            if response.status != 200:  # noqa: PLR2004 - the one status with a list in it
                raise dialect.decode_error(response)
            return dialect.decode_models(response.body, target.id)
        except SidecarError as error:
            raise _told_apart(error, target) from None

    async def check(self, target: Target) -> list[TestStage]:
        """Try the way to the server step by step; only reads, so it costs nothing."""
        return await Diagnosis(self._transport, self._dialect(target), partial(self._get, target), target).run()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    def _dialect(self, target: Target) -> ChatDialect:
        return self._dialects[target.provider.dialect]

    async def _get(self, target: Target, path: str) -> HttpResponse:
        """Read what lies at `path`; the server may point once to another place of its own."""
        request = self._addressing.get(target, path)
        response = await self._read(request)
"""

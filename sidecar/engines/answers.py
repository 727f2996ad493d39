"""Reads what a server answers to a question: a stream of events, a whole answer, or a refusal."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from sidecar.concurrency import move_on_after
from sidecar.deltas import merged
from sidecar.dialects.contract import Aim, Answer, Dialect, HttpRequest, HttpResponse
from sidecar.dialects.shaping import Shaper, Shaping
from sidecar.engines.addressing import address_hint, redirected
from sidecar.engines.transport import Incoming, Outgoing
from sidecar.framing.frame import Frame, check_density
from sidecar.handler import Call, Emit, tell
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import ReasoningDelta, Status, StreamEvent

MAX_ERROR_BYTES: Final = 64 << 10
MAX_ANSWER_BYTES: Final = 64 << 20
"""The longest answer that comes in one piece."""

MAX_STREAM_BYTES: Final = 128 << 20
"""The longest one that comes as a stream, the wrapping of its words included: some 400,000 tokens."""

MAX_PARTS: Final = 4096
"""The most parts of an answer."""

ERROR_SECONDS: Final = 5
"""How long the body of an error may take; its status alone says enough."""

LINGER_SECONDS: Final = 5
"""How long token counts may take to follow a finish reason."""

JSON: Final = "application/json"
PAGE: Final = "text/html"
THINKING: Final = Status(state="thinking")
SUCCESSES: Final = range(200, 300)
REDIRECTS: Final = range(300, 400)
NOT_FOUND: Final = (404, 405)


class Reader:
    """Collects and emits the events of one answer."""

    def __init__(self, call: Call, dialect: Dialect, aim: Aim, shaping: Shaping, emit: Emit) -> None:
        self.dialect = dialect
        self._aim = aim
        self._transcript = call.transcript
        self._decoder = dialect.decode_stream(aim)
        self._shaper = Shaper(shaping) if _changes(shaping) else None
        self._emit = emit
        self._thinking = False
        self._whole: Answer | None = None

    async def deliver(self, events: Iterable[StreamEvent]) -> None:
        """Pass events on, waiting for the host where it is slow."""
        add, emit = self._transcript.add, self._emit
        for event in events if self._shaper is None else self._shaper.shape(events):
            if type(event) is ReasoningDelta and not self._thinking:
                self._thinking = True
                await tell(emit, THINKING)
            add(event)
            if (room := emit(event)) is not None:
                await room
        if len(self._transcript.parts) > MAX_PARTS:
            raise SidecarError("malformed_response", "The provider's answer has too many parts.")

    async def give_up(self) -> None:
        """Deliver what was held back of an answer that broke off."""
        shaper, self._shaper = self._shaper, None
        if shaper is not None:
            await self.deliver(shaper.rest())

    async def read(self, answer: Incoming, base_url: str) -> None:
        """Deliver an answer as it comes: in one piece, or else as a stream."""
        kind = media_type(answer.headers)
        if kind == PAGE:
            raise web_page(base_url)
        if kind == JSON:
            self._whole = self.dialect.decode_answer(await whole(answer), self._aim)
            await self.deliver(self._whole.events)
        else:
            await self._read_stream(answer)

    async def _read_stream(self, answer: Incoming) -> None:
        framer, decoder, left = self.dialect.framer(), self._decoder, MAX_STREAM_BYTES
        while (data := await self._next(answer)) is not None:
            left -= len(data)
            if left < 0:
                raise SidecarError("malformed_response", "The provider's answer does not end.")
            await self._take(framer.feed(data))
            if self._cut:
                return
            if decoder.finished:
                await answer.drain()
                return
        await self._take(framer.close())

    async def _take(self, frames: Iterable[Frame]) -> None:
        """Deliver what came at once, joined, as far as it can be read."""
        events: list[StreamEvent] = []
        try:
            for frame in frames:
                events += self._decoder.feed(frame)
        finally:
            await self.deliver(merged(events))

    async def _next(self, answer: Incoming) -> bytes | None:
        """Return the next piece of the body; behind the end of the answer it is waited for only a while."""
        if not self._decoder.settled:
            return await anext(answer.chunks, None)
        async with move_on_after(LINGER_SECONDS):
            return await anext(answer.chunks, None)
        return None

    def survives(self, error: SidecarError) -> bool:
        """Tell whether the answer is there although its connection was lost."""
        return error.type == "stream_interrupted" and self._decoder.settled

    async def finish(self) -> None:
        """Deliver what the decoder held back; raise `stream_interrupted` where the answer is incomplete."""
        if self._whole is None and not self._cut:
            await self.deliver(self._decoder.close())

    def follow_up(self, request: HttpRequest) -> HttpRequest | None:
        """Return the request for the rest of an answer that comes in several."""
        return None if self._whole is not None or self._cut else self._decoder.follow_up(request)

    @property
    def cost(self) -> str | None:
        """What the provider says that the answer cost."""
        return self._decoder.cost if self._whole is None else self._whole.cost

    @property
    def _cut(self) -> bool:
        return self._shaper is not None and self._shaper.stopped


def _changes(shaping: Shaping) -> bool:
    return bool(shaping.stop or shaping.tool or shaping.fenced)


def media_type(headers: dict[str, str]) -> str:
    """Return what a body claims to be, in lower case and without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


async def whole(answer: Incoming, bound: int | None = None) -> bytes:
    """Return the body of an answer that is no stream, which may be as long as `bound`, or `MAX_ANSWER_BYTES`."""
    bound = MAX_ANSWER_BYTES if bound is None else bound
    body = await answer.read(bound + 1)
    if len(body) > bound:
        raise SidecarError("malformed_response", "The provider's answer is too large to be read.")
    check_density(body)
    return body


async def failed(answer: Incoming) -> HttpResponse:
    """Return an answer that reports a failure, with as much of its body as comes in time."""
    body = b""
    async with move_on_after(ERROR_SECONDS):
        with suppress(SidecarError):
            body = await answer.read(MAX_ERROR_BYTES)
    return HttpResponse(answer.status, answer.headers, body)


def refusal(response: HttpResponse, request: Outgoing, dialect: Dialect, base_url: str | None) -> SidecarError:
    """Return the error that a status beyond success stands for; a configured `base_url` may be what is wrong."""
    if response.status in REDIRECTS:
        goal = urlsplit(redirected(request.url, response.headers))
        hint = f"The server points to {goal.scheme}://{goal.netloc}{goal.path}"
        error = SidecarError("request_rejected", f"{goal.netloc} wants to be asked at another address.", hint=hint)
    else:
        error = dialect.decode_error(response)
    error.details = {"http_status": response.status} | error.details
    absent = response.status in NOT_FOUND and error.type != "model_not_found"
    healing = (base_url and address_hint(base_url)) or dialect.absent_hint if absent else None
    if healing is not None:
        error.details["hint"] = healing
    return error


def web_page(base_url: str) -> SidecarError:
    """Say that a page for browsers came instead of an answer."""
    hint = address_hint(base_url) or "Check base_url."
    return SidecarError("malformed_response", f"{urlsplit(base_url).netloc} answered with a web page.", hint=hint)

"""`chat.complete`, `chat.stream`, `chat.cancel`."""

import time
from collections.abc import Awaitable
from typing import Any, Final

from msgspec import UNSET

from sidecar.catalog.observations import Pace
from sidecar.handler import Call
from sidecar.methods.attachments import attached
from sidecar.methods.models import successor
from sidecar.methods.services import Services
from sidecar.rpc.router import Admit, Method, Request
from sidecar.schema.chat import (
    CancelParams,
    CancelResult,
    ChatRequest,
    ChatResult,
    FinishReason,
    StreamRequest,
    Warning,
)
from sidecar.schema.errors import ErrorType, SidecarError
from sidecar.schema.usage import Cost, Timing, Usage
from sidecar.streams import Answer, Stream
from sidecar.targets import Chain, chain_of

NS_PER_MS: Final = 1_000_000
MAX_STREAM_ID: Final = 256
"""Every chunk repeats it, and the lines of chunks are bounded."""
PACED_MS: Final = 100
"""Answers that take less time say nothing of a model's speed."""
CANCELLED: Final = FinishReason("cancelled")

CHAT_ERRORS: Final[tuple[ErrorType, ...]] = (
    "provider_not_found",
    "provider_not_configured",
    "model_not_found",
    "unsupported_feature",
    "origin_not_allowed",
    "path_not_allowed",
    "credential_not_found",
    "keyring_unavailable",
    "keyring_locked",
    "keyring_denied",
    "authentication",
    "permission_denied",
    "insufficient_quota",
    "rate_limited",
    "context_length_exceeded",
    "content_filtered",
    "request_rejected",
    "unsupported_parameter",
    "payload_too_large",
    "provider_overloaded",
    "server_error",
    "malformed_response",
    "output_invalid",
    "stream_interrupted",
    "dns",
    "connect",
    "tls",
    "proxy",
    "timeout",
    "model_file_invalid",
    "out_of_memory",
    "engine_crashed",
    "engine_unavailable",
    "budget_exceeded",
    "privacy_blocked",
)


def complete(services: Services, params: ChatRequest, request: Request) -> Awaitable[ChatResult]:
    """Answer with the whole completion."""
    answer = Answer()
    request.cancel = request.hang_up = answer.cancel
    chain = chain_of(services.targets, params)
    return _Conversation(services, params, chain, answer).run(request.admit)


def stream(services: Services, params: StreamRequest, request: Request) -> Awaitable[ChatResult]:
    """Stream the answer; the reply is its end."""
    chain = chain_of(services.targets, params)
    answer = services.streams.open(_stream_id(params, request))
    request.cancel = request.hang_up = answer.cancel
    request.after_reply.append(lambda: services.streams.close(answer))
    return _Conversation(services, params, chain, answer).run(request.admit)


def _stream_id(params: StreamRequest, request: Request) -> str:
    if params.stream_id is None and request.id is None:
        raise SidecarError("invalid_params", "A notification needs a stream_id of its own.")
    id_ = str(request.id) if params.stream_id is None else params.stream_id
    if len(id_) > MAX_STREAM_ID:
        raise SidecarError("invalid_params", f"A stream_id may have {MAX_STREAM_ID} characters.", param="stream_id")
    return id_


def cancel(services: Services, params: CancelParams, request: Request) -> Any:
    """End a stream; answer after its own reply."""
    del request
    open_stream = services.streams.get(params.stream_id)
    if open_stream is None:
        return CancelResult(cancelled=False)
    open_stream.cancel()
    return _cancelled(open_stream)


async def _cancelled(open_stream: Stream) -> CancelResult:
    await open_stream.closed.wait()
    return CancelResult(open_stream.cancelled)


class _Conversation:
    """One question on its way to an answer, a partial answer or an error."""

    def __init__(self, services: Services, params: ChatRequest, chain: Chain, answer: Answer) -> None:
        self._services = services
        self._params = params
        self._chain = chain
        self._choice = chain.choice
        self._answer = answer
        self._started = time.monotonic_ns()
        self._call: Call | None = None

    async def run(self, admit: Admit) -> ChatResult:
        """Return the answer, whole or as far as it came when it was cancelled."""
        try:
            async with self._answer.scope:
                return await self._ask(admit)
        except SidecarError as error:
            raise self._explained(error) from None
        self._answer.cancelled = True
        return self._result(CANCELLED)

    async def _ask(self, admit: Admit) -> ChatResult:
        services, chain = self._services, self._chain
        # Where there are others, that the first lacks something is one failure among several.
        target = chain.first.target if chain.first else await services.targets.resolve(chain.choice)
        self._call = call = Call(
            request=await attached(self._params, services.allowed_paths, admit),
            target=target,
            report=self._answer.report,
            first=chain.first,
            others=chain.others,
            warnings=list(chain.warnings),
        )
        completion = await services.policies().chat(call, self._answer.emit)
        result = self._result(completion.finish_reason)
        if len(call.attempts) == 1 and not call.cached:
            services.observations.record(call.target.origin, _pace(result))
        return result

    def _result(self, finish: FinishReason) -> ChatResult:
        call = self._call
        result = ChatResult(
            finish_reason=finish,
            usage=call.transcript.settled_usage(call.request.messages) if call else Usage(source="estimated"),
            cost=(call.cost if call else None) or Cost(amount=None),
            timing=self._timing(),
            attempts=call.attempts if call else [],
            warnings=[*(call.warnings + call.transcript.warnings if call else []), *self._storage_warnings()],
            provider=call.target.id if call else self._choice.provider,
            model=call.target.model if call else self._choice.model,
        )
        if call and call.cached:
            result.cached = True
        if call and call.structured:
            result.structured_output = call.structured
        if self._params.include_message:
            asked = call is not None and (call.attempts or call.transcript.started)
            result.message = call.transcript.message(call.target.origin) if call and asked else None
        if isinstance(self._answer, Stream):
            self._answer.flush()
            result.stream_id, result.chunks = self._answer.id, self._answer.chunks
        return result

    def _storage_warnings(self) -> list[Warning]:
        problem = self._services.policies().database.state.problem
        return [] if problem is None else [Warning("storage_unavailable", problem)]

    def _timing(self) -> Timing:
        first = self._answer.first_ns
        timing = Timing(
            total_ms=(time.monotonic_ns() - self._started) // NS_PER_MS,
            first_token_ms=None if first is None else (first - self._started) // NS_PER_MS,
        )
        if self._call and (phases := self._call.phases):
            timing.load_ms = phases.load_ms
            timing.prompt_ms = UNSET if phases.prompt_ms is None else phases.prompt_ms
            timing.generation_ms = UNSET if phases.generation_ms is None else phases.generation_ms
        return timing

    def _explained(self, error: SidecarError) -> SidecarError:
        """Add to a failure what the host should know of the answer that was lost."""
        details: dict[str, Any] = {"provider": self._choice.provider}
        if isinstance(self._answer, Stream):
            self._answer.flush()
            details |= {"stream_id": self._answer.id, "chunks": self._answer.chunks}
        if call := self._call:
            kind, model = call.target.provider.id, call.target.model
            if error.type == "model_not_found" and (hint := successor(kind, model)):
                error.details["hint"] = hint
            details |= {
                "provider": call.target.id,
                "model": call.target.model,
                "attempts": call.attempts or None,
            }
            if call.transcript.started:
                details["partial"] = call.transcript.message(call.target.origin)
                details["usage"] = call.transcript.settled_usage(call.request.messages)
        error.details = details | error.details
        return error


def _pace(result: ChatResult) -> Pace:
    """Return how quick an answer was; its speed is known only of those that took a while."""
    first, tokens = result.timing.first_token_ms, result.usage.output_tokens
    if first is None or result.usage.source != "reported":
        return Pace(first)
    ms = result.timing.total_ms - first
    return Pace(first, None if not tokens or ms < PACED_MS else tokens * 1000 / ms)


METHODS: Final = (
    Method(
        name="chat.complete",
        summary="Answers one question with the whole completion.",
        params=ChatRequest,
        result=ChatResult,
        handler=complete,
        errors=CHAT_ERRORS,
    ),
    Method(
        name="chat.stream",
        summary="Answers one question with `stream.chunk` notifications, then the reply, which is the stream's end.",
        params=StreamRequest,
        result=ChatResult,
        handler=stream,
        errors=("stream_id_in_use", "client_stalled", *CHAT_ERRORS),
    ),
    Method(
        name="chat.cancel",
        summary="Ends a stream; answers after the stream's own reply. Never an error.",
        params=CancelParams,
        result=CancelResult,
        handler=cancel,
        unlimited=True,
    ),
)

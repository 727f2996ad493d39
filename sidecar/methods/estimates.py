"""`chat.estimate`."""

from collections.abc import Awaitable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from sidecar.concurrency import move_on_after
from sidecar.handler import Call, Engine, Target
from sidecar.methods.attachments import attached
from sidecar.methods.models import asked, completed
from sidecar.methods.services import Services
from sidecar.rpc.router import Admit, Method, Request
from sidecar.schema.chat import ChatRequest, Warning
from sidecar.schema.errors import ErrorType, SidecarError
from sidecar.schema.estimates import ChatEstimate, CostEstimate
from sidecar.schema.models import ModelInfo
from sidecar.schema.usage import Cost, Source, Usage
from sidecar.targets import TARGET_ERRORS, Choice, check_question

if TYPE_CHECKING:
    from sidecar.middleware.pricing import Prices

ASK_S: Final = 10.0
"""How long a provider may take to count, or a local one to describe its model."""

REFUSALS: Final[tuple[ErrorType, ...]] = ("authentication", "permission_denied", "privacy_blocked")
"""What keeps the question itself from being asked; whatever else goes wrong with counting, there is an estimate."""


class _Counted(Struct):
    """The tokens of a question, who counted them, and why it was not the provider if it should have been."""

    tokens: int
    source: Source
    warnings: list[Warning]


def estimate(services: Services, params: ChatRequest, request: Request) -> Awaitable[ChatEstimate]:
    """Tell what a question would take, without asking it."""
    check_question(params)
    choice = services.targets.choose(params.provider, params.model, params.privacy)
    return _estimate(services, params, choice, request.admit)


async def _estimate(services: Services, params: ChatRequest, choice: Choice, admit: Admit) -> ChatEstimate:
    target = await services.targets.resolve(choice)
    params = await attached(params, services.allowed_paths, admit)
    engine = await services.engines.get(target.provider.engine)
    counted = await _count(services, engine, Call(request=params, target=target, report=lambda _: None))
    info = await _model(services, target)
    longest = min((n for n in (params.max_tokens, info.max_output_tokens) if n is not None), default=None)
    context = _context_length(params, target, info)
    return ChatEstimate(
        provider=target.id,
        model=target.model,
        input_tokens=counted.tokens,
        source=counted.source,
        max_output_tokens=longest,
        context_length=context,
        fits=None if context is None else counted.tokens + (params.max_tokens or 0) <= context,
        cost=_costs(services.policies().prices, target, counted, longest),
        warnings=counted.warnings,
    )


async def _count(services: Services, engine: Engine, call: Call) -> _Counted:
    """Return the provider's count, or else an estimate."""
    from sidecar.middleware.question import tokens_of  # a start does without it

    tokens, failure, asking = None, None, move_on_after(ASK_S)
    try:
        async with asking:
            tokens = await engine.count_tokens(call)
    except SidecarError as error:
        if error.type in REFUSALS:
            raise
        failure = services.redact(error.message)
    if asking.cancelled_caught:
        failure = "The provider took too long."
    if tokens is not None:
        return _Counted(tokens, "reported", [])
    message = f"The tokens are estimated, as the provider could not count them: {failure}"
    return _Counted(tokens_of(call.request), "estimated", [Warning("tokens_estimated", message)] if failure else [])


async def _model(services: Services, target: Target) -> ModelInfo:
    """Return what is known of the model.

    Local providers are asked, who answer at once or not at all, and those whose list tells prices, now and then.
    """
    found = None if target.provider.local else services.listings.find(target.id, target.endpoint, monotonic())
    if found is None and (target.provider.local or target.provider.lists_prices):
        with suppress(SidecarError):
            async with move_on_after(ASK_S):
                found = {info.id: info for info in await asked(services, target)}
    info = (found or {}).get(target.model) or ModelInfo(id=target.model, provider=target.id)
    return completed([info], target, services.policies().prices)[0]


def _context_length(request: ChatRequest, target: Target, info: ModelInfo) -> int | None:
    """Return how much the model will hold: on this machine that depends on what was asked for."""
    known, wanted = info.context_length, request.context_size or getattr(target.config, "context_size", None)
    if target.provider.engine == "llama":
        from sidecar.engines.llama.footprint import context_size  # loaded with the engine

        return context_size(wanted, known)
    if not target.provider.local or wanted is None:
        return known
    return wanted if known is None else min(wanted, known)


def _costs(prices: "Prices", target: Target, counted: _Counted, longest: int | None) -> CostEstimate:
    def cost(output_tokens: int) -> Cost:
        usage = Usage(input_tokens=counted.tokens, output_tokens=output_tokens, source=counted.source)
        return prices.cost(target, usage) or Cost(amount=None)

    return CostEstimate(cost(0), None if longest is None else cost(longest))


METHODS: Final = (
    Method(
        name="chat.estimate",
        summary="Tells how many tokens a question has, whether they fit, and what it would cost; it is not asked.",
        params=ChatRequest,
        result=ChatEstimate,
        handler=estimate,
        errors=(*TARGET_ERRORS, *REFUSALS, "path_not_allowed", "payload_too_large", "engine_unavailable"),
    ),
)

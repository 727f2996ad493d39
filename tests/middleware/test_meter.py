"""Every attempt is recorded, however it ends."""

from collections.abc import Callable

import anyio
import pytest
from calls import call_for
from msgspec.structs import replace

from sidecar.handler import Call, Completion, Emit
from sidecar.middleware.meter import meter
from sidecar.providers import PROVIDERS
from sidecar.schema.chat import FinishReason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent, TextDelta, UsageDelta
from sidecar.schema.usage import Attempt, Cost, Usage

pytestmark = pytest.mark.anyio


async def ignore(event: StreamEvent) -> None:
    del event


def ending(act: Callable[[], None]) -> Callable[[Call, Emit], object]:
    async def handler(call: Call, emit: Emit) -> Completion:
        del emit
        call.transcript.add(TextDelta(0, "twelve bytes"))
        call.transcript.add(FinishReason("stop"))
        await anyio.lowlevel.checkpoint()
        act()
        return call.completion()

    return handler


async def attempts(call: Call, act: Callable[[], None]) -> list[Attempt]:
    try:
        await meter(ending(act))(call, ignore)  # type: ignore[arg-type]
    except SidecarError:
        assert call.attempts
    return [replace(attempt, duration_ms=0) for attempt in call.attempts]


FREE = Cost(amount="0", source="free")
ESTIMATE = Usage(input_tokens=1, output_tokens=3, source="estimated")


async def test_a_finished_attempt_has_the_reported_usage() -> None:
    call = call_for()
    call.transcript.add(UsageDelta(input_tokens=7, output_tokens=2))
    (attempt,) = await attempts(call, lambda: None)
    assert attempt == Attempt(
        provider="scripted",
        model="script-1",
        outcome="ok",
        duration_ms=0,
        usage=Usage(input_tokens=7, output_tokens=2),
        cost=FREE,
    )


async def test_a_failed_attempt_names_the_error_and_estimates_what_was_used() -> None:
    def fail() -> None:
        raise SidecarError("provider_overloaded")

    assert await attempts(call_for(), fail) == [
        Attempt(
            provider="scripted",
            model="script-1",
            outcome="error",
            error_type="provider_overloaded",
            duration_ms=0,
            usage=ESTIMATE,
            cost=FREE,
        )
    ]


async def test_a_cancelled_attempt_is_recorded_too() -> None:
    call = call_for()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await attempts(call, lambda: None)
    assert [replace(attempt, duration_ms=0) for attempt in call.attempts] == [
        Attempt(provider="scripted", model="script-1", outcome="cancelled", duration_ms=0, usage=ESTIMATE, cost=FREE)
    ]


async def cost_of(usage: UsageDelta | None, provider: str = "openai", model: str = "gpt-6-sol") -> Cost | None:
    call = call_for()
    call.target = replace(call.target, provider=PROVIDERS[provider], model=model)
    if usage is not None:
        call.transcript.add(usage)
    (attempt,) = await attempts(call, lambda: None)
    return attempt.cost


async def test_what_the_provider_does_not_price_is_priced_by_the_table() -> None:
    usage = UsageDelta(input_tokens=1_000, output_tokens=100, cache_read_tokens=0)
    assert await cost_of(usage) == Cost(amount="0.003", source="table")


async def test_the_price_of_an_estimate_is_one() -> None:
    cost = await cost_of(None)
    assert (cost and cost.source, cost and cost.estimated) == ("table", True)


async def test_an_unknown_model_has_no_price() -> None:
    assert await cost_of(None, model="gpt-unheard-of") is None
    assert await cost_of(None, "openai_compatible") is None


async def test_a_price_of_the_provider_is_kept() -> None:
    call = call_for()
    call.cost = Cost(amount="0.5", source="provider")
    (attempt,) = await attempts(call, lambda: None)
    assert attempt.cost == Cost(amount="0.5", source="provider")

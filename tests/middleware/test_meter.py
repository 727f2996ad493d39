"""Every attempt is recorded, however it ends."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import anyio
import pytest
from calls import call_for
from inline_database import InlineDatabase
from msgspec.structs import replace

from sidecar.handler import Call, Completion, Emit
from sidecar.middleware.meter import meter, record
from sidecar.middleware.pricing import Prices
from sidecar.providers import PROVIDERS
from sidecar.schema.chat import FinishReason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent, TextDelta, UsageDelta
from sidecar.schema.usage import Attempt, Cost, Usage
from sidecar.storage.ledger import Entry, Ledger

pytestmark = pytest.mark.anyio

Act = Callable[[Call], None]

FREE = Cost(amount="0", source="free")
ESTIMATE = Usage(input_tokens=1, output_tokens=3, source="estimated")
ASKED = Usage(input_tokens=1, output_tokens=0, source="estimated")


async def ignore(event: StreamEvent) -> None:
    del event


def to(provider: str, model: str = "m-1", **options: Any) -> Call:
    call = call_for(**options)
    call.target = replace(call.target, id=provider, provider=PROVIDERS[provider], model=model)
    return call


def charges(amount: str) -> Act:
    def act(call: Call) -> None:
        call.cost = Cost(amount=amount, source="provider")

    return act


def fail(*steps: Act, **details: Any) -> Act:
    """Return what does the steps, and then fails."""

    def act(call: Call) -> None:
        for step in steps:
            step(call)
        raise SidecarError("provider_overloaded", **details)

    return act


def sent(call: Call) -> None:
    call.sent = True


def says(call: Call) -> None:
    call.transcript.add(TextDelta(0, "twelve bytes"))


def counts(**usage: int) -> Act:
    return lambda call: call.transcript.add(UsageDelta(**usage))


async def entries(call: Call, *acts: Act) -> list[Entry]:
    """Return what the ledger takes note of when the target does these acts, and ends its answer unless it fails."""

    async def handler(call: Call, emit: Emit) -> Completion:
        del emit
        for act in acts:
            act(call)
        call.transcript.add(FinishReason("stop"))
        await anyio.lowlevel.checkpoint()
        return call.completion()

    ledger, found = Ledger(InlineDatabase()), list[Entry]()
    ledger.watchers.append(found.append)
    try:
        await meter(ledger, Prices())(handler)(call, ignore)
    except (SidecarError, ZeroDivisionError):
        assert call.attempts
    return found


async def attempt(call: Call, *acts: Act) -> Attempt:
    """Return the one attempt that the call has, as the ledger has it."""
    (entry,) = await entries(call, *acts)
    (found,) = call.attempts
    assert entry.usage == found.usage
    assert entry.cost == (found.cost or Cost(amount=None))
    assert (entry.outcome, entry.error_type) == (found.outcome, found.error_type)
    return replace(found, duration_ms=0)


async def test_a_finished_attempt_has_the_reported_usage() -> None:
    assert await attempt(to("ollama"), counts(input_tokens=7, output_tokens=2), says) == Attempt(
        provider="ollama",
        model="m-1",
        outcome="ok",
        duration_ms=0,
        usage=Usage(input_tokens=7, output_tokens=2),
        cost=FREE,
    )


async def test_a_failed_attempt_names_the_error_and_estimates_what_was_used() -> None:
    assert await attempt(to("ollama"), fail(says)) == Attempt(
        provider="ollama",
        model="m-1",
        outcome="error",
        error_type="provider_overloaded",
        duration_ms=0,
        usage=ESTIMATE,
        cost=FREE,
    )


async def test_a_defect_is_recorded_as_one() -> None:
    found = await attempt(to("ollama"), lambda _: 1 // 0)  # type: ignore[arg-type, return-value]
    assert (found.outcome, found.error_type, found.usage) == ("error", "internal_error", None)


async def test_a_cancelled_attempt_is_recorded_too() -> None:
    call = to("ollama")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await entries(call, says)
    assert [replace(one, duration_ms=0) for one in call.attempts] == [
        Attempt(provider="ollama", model="m-1", outcome="cancelled", duration_ms=0, usage=ESTIMATE, cost=FREE)
    ]


@pytest.mark.parametrize(
    ("act", "usage"),
    [
        (fail(), None),
        (fail(sent), ASKED),
        (fail(sent, http_status=None), ASKED),
        (fail(sent, charges("1"), http_status=503), None),
        (fail(sent, says, http_status=503), ESTIMATE),
        (fail(sent, counts(input_tokens=9, output_tokens=0)), Usage(input_tokens=9, output_tokens=0)),
        (fail(sent, counts(input_tokens=9)), Usage(input_tokens=9, output_tokens=0, source="estimated")),
    ],
    ids=["unsent", "sent", "no status", "refused", "failed in mid-answer", "all counted", "half counted"],
)
async def test_what_the_provider_had_and_did_not_refuse_may_cost_something(act: Act, usage: Usage | None) -> None:
    found = await attempt(to("openai", "gpt-6-sol"), act)
    assert found.usage == usage
    assert (found.cost is None) == (usage is None)
    assert found.cost is None or found.cost.estimated == (usage == replace(usage, source="estimated"))  # type: ignore[type-var]


async def test_what_an_attempt_before_has_left_is_not_taken_for_this_one() -> None:
    call = to("openai", "gpt-6-sol")
    call.sent, call.cost = True, Cost(amount="9", source="provider")
    found = await attempt(call, fail())
    assert (found.usage, found.cost) == (None, None)


async def cost_of(provider: str, model: str, *acts: Act) -> Cost | None:
    return (await attempt(to(provider, model), says, *acts)).cost


async def test_what_the_provider_does_not_price_is_priced_by_the_table() -> None:
    usage = counts(input_tokens=1_000, output_tokens=100, cache_read_tokens=0)
    assert await cost_of("openai", "gpt-6-sol", usage) == Cost(amount="0.003", source="table")


async def test_the_price_of_an_estimate_is_one() -> None:
    cost = await cost_of("openai", "gpt-6-sol")
    assert (cost and cost.source, cost and cost.estimated) == ("table", True)


async def test_an_unknown_model_has_no_price() -> None:
    assert await cost_of("openai", "gpt-unheard-of") is None
    assert await cost_of("openai_compatible", "m-1") is None


async def test_a_price_of_the_provider_is_kept() -> None:
    assert await cost_of("openai", "gpt-6-sol", charges("0.5")) == Cost(amount="0.5", source="provider")


async def test_what_the_prompt_cache_saved_is_noted_whoever_told_the_cost() -> None:
    usage = counts(input_tokens=10_000, output_tokens=0, cache_read_tokens=10_000)
    saved = []
    for acts in ([usage], [usage, charges("0.5")], [usage, fail()]):
        (entry,) = await entries(to("anthropic", "claude-sonnet-5-5"), *acts, says)
        saved.append(entry.prompt_savings)
    (unsent,) = await entries(to("anthropic", "claude-sonnet-5-5"), fail())
    (unpriced,) = await entries(to("openai_compatible"), usage, says)
    assert saved[0] > 0
    assert [*saved[1:], unsent.prompt_savings, unpriced.prompt_savings] == [saved[0], 0, 0, 0]


async def test_an_entry_tells_the_kind_of_provider_and_the_tags() -> None:
    call = to("openai", "gpt-6-sol", tags=["work", "chat-7"])
    call.target = replace(call.target, id="my-openai")
    (entry,) = await entries(call, says)
    assert (entry.provider, entry.kind, entry.tags) == ("my-openai", "openai", ("work", "chat-7"))
    assert (entry.method, entry.cached) == ("chat", False)


def test_other_policies_record_through_the_same_door() -> None:
    ledger, found, call = Ledger(InlineDatabase()), list[Entry](), call_for()
    ledger.watchers.append(found.append)
    kept = Attempt(provider="p", model="m", outcome="ok", duration_ms=1, cached=True)
    record(ledger, call, kept, response_savings=Decimal(2))
    assert call.attempts == [kept]
    assert (found[0].cached, found[0].response_savings, found[0].prompt_savings) == (True, Decimal(2), Decimal())

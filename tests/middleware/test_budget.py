"""Requests keep within the budgets, however many there are at once."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import anyio
import pytest
from calls import call_for
from hypothesis import given
from hypothesis import strategies as st
from inline_database import InlineDatabase
from msgspec.structs import replace
from virtual_time import VIRTUAL_TIME, VirtualTimeLoop

from sidecar.catalog.user_prices import UserPrice
from sidecar.handler import Call, ChatHandler, Completion, Emit, stack
from sidecar.middleware.budget import MAX_ANSWER, budget
from sidecar.middleware.meter import meter
from sidecar.middleware.pricing import Prices
from sidecar.middleware.treasury import Budgets
from sidecar.providers import PROVIDERS
from sidecar.schema.budgets import BudgetParams
from sidecar.schema.chat import FinishReason, Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent, UsageDelta
from sidecar.schema.ledger import UsageQuery
from sidecar.schema.usage import Attempt, Cost
from sidecar.storage.ledger import Ledger

pytestmark = pytest.mark.anyio

MICRO = Decimal(1).scaleb(-6)
"""What a token costs, in and out."""
PRICE = UserPrice(provider="*", model="priced", input=Decimal(1), output=Decimal(1))
UNPRICED = Warning("cost_unknown", "What this model costs is unknown, so this request is in no budget.")


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL_TIME


async def ignore(event: StreamEvent) -> None:
    del event


class House:
    """Budgets, and a provider behind them. `answer` says how it answers, which takes a second."""

    def __init__(self, answer: Callable[[Call], None] | None = None) -> None:
        self.database = InlineDatabase()
        self.ledger = Ledger(self.database)
        self.prices = Prices((PRICE,))
        self.budgets = Budgets(self.database, self.ledger, 1000)
        self.asked = 0
        self.most = 0
        self._answer = answer or uses(100, 400)
        self._handler = stack(
            (budget(self.budgets, self.prices, self.ledger), meter(self.ledger, self.prices)), self._ask
        )

    async def _ask(self, call: Call, emit: Emit) -> Completion:
        del emit
        self.asked += 1
        call.sent = True
        await asyncio.sleep(1)
        self._answer(call)
        call.transcript.add(FinishReason("stop"))
        return call.completion()

    @property
    def handler(self) -> ChatHandler:
        return self._handler

    async def ask(self, call: Call | None = None) -> Call:
        call = call or to()
        await self._handler(call, ignore)
        return call

    def put(self, amount: str, id_: str = "b", **fields: Any) -> None:
        self.budgets.put(BudgetParams(id=id_, amount=amount, **fields))

    async def spent(self) -> Decimal:
        (found,) = (await self.budgets.listed()).budgets
        assert found.reserved == "0"
        return Decimal(found.spent)

    async def in_the_ledger(self) -> Decimal:
        total = (await self.ledger.summary(UsageQuery())).total
        return Decimal(total.cost.amount or 0)


def uses(asked: int, answered: int) -> Callable[[Call], None]:
    return lambda call: call.transcript.add(UsageDelta(input_tokens=asked, output_tokens=answered))


def to(model: str = "priced", provider: str = "openai_compatible", tokens: int = 100, **options: Any) -> Call:
    call = call_for("x" * 4 * tokens, **({"max_tokens": 400} | options))
    call.target = replace(call.target, id=provider, provider=PROVIDERS[provider], model=model)
    return call


async def refusal(house: House, call: Call | None = None) -> SidecarError:
    with pytest.raises(SidecarError) as raised:
        await house.ask(call)
    return raised.value


async def test_without_budgets_a_call_goes_straight_through(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    first = await house.ask()
    assert house.budgets.idle
    monkeypatch.delattr(Budgets, "refresh")
    second = await house.ask()
    assert [len(call.attempts) for call in (first, second)] == [1, 1]
    assert (first.warnings, second.warnings) == ([], [])


async def test_a_budget_warns_and_then_nothing_more_is_sent() -> None:
    house = House()
    house.put("0.0016", warn_at=0.6)
    first, second = await house.ask(), await house.ask()
    assert first.warnings == []
    assert second.warnings == [Warning("budget_warning", "Of the budget b, 0.001 of 0.0016 US dollars are spent.", "b")]
    third = await house.ask()
    assert [warning.param for warning in third.warnings] == ["b"]
    call = to()
    error = await refusal(house, call)
    assert house.asked == 3
    assert error.type == "budget_exceeded"
    assert error.details == {
        "param": "b",
        "hint": error.details["hint"],
        "provider": "openai_compatible",
        "model": "priced",
    }
    assert call.attempts == [
        Attempt(
            provider="openai_compatible",
            model="priced",
            outcome="error",
            error_type="budget_exceeded",
            duration_ms=call.attempts[0].duration_ms,
        )
    ]
    total = (await house.ledger.summary(UsageQuery())).total
    assert (total.attempts, total.failed, total.unpriced) == (4, 1, 0)


async def test_what_is_free_is_sent_whatever_the_budgets_say() -> None:
    house = House()
    house.put("0")
    call = await house.ask(to(provider="ollama"))
    assert (house.asked, call.warnings) == (1, [])


async def test_what_has_a_price_of_nothing_is_sent_as_well() -> None:
    house = House()
    house.prices._own = (replace(PRICE, input=Decimal(0), output=Decimal(0)),)
    house.put("0")
    await house.ask()
    assert house.asked == 1


async def test_what_has_no_price_is_sent_with_a_warning_and_counted_as_such() -> None:
    house = House()
    house.put("0.5")
    call = await house.ask(to("unheard of"))
    assert call.warnings == [UNPRICED]
    (found,) = (await house.budgets.listed()).budgets
    assert (found.spent, found.unpriced) == ("0", 1)


async def test_where_no_budget_is_concerned_nobody_is_warned() -> None:
    house = House()
    house.put("0", tag="other")
    assert (await house.ask(to("unheard of", tags=["mine"]))).warnings == []


async def test_a_provider_that_tells_its_prices_afterwards_is_asked_until_the_budget_is_used_up() -> None:
    def charge(call: Call) -> None:
        call.cost = Cost(amount="0.4", source="provider")

    house = House(charge)
    house.put("1", warn_at=1.0)
    calls = [await house.ask(to("m", "openrouter")) for _ in range(3)]
    assert [[warning.type for warning in call.warnings] for call in calls] == [[], [], ["budget_warning"]]
    assert (await refusal(house, to("m", "openrouter"))).type == "budget_exceeded"
    assert house.asked == 3


@pytest.mark.parametrize(("max_tokens", "reserved"), [(400, 400), (None, MAX_ANSWER), (MAX_ANSWER * 2, MAX_ANSWER)])
async def test_the_longest_answer_is_reckoned_with_up_to_a_bound(max_tokens: int | None, reserved: int) -> None:
    house = House()
    expected = (100 + reserved) * MICRO
    house.put(f"{expected - MICRO:f}")
    error = await refusal(house, to(max_tokens=max_tokens))
    assert error.message.endswith(f"this one {expected.normalize():f}.")
    house.put(f"{expected:f}")
    await house.ask(to(max_tokens=max_tokens))


async def test_what_was_set_apart_is_given_back_however_a_call_ends() -> None:
    def fail(call: Call) -> None:
        del call
        raise SidecarError("server_error", http_status=500)

    house = House(fail)
    house.put("0.0005")
    assert (await refusal(house)).type == "server_error"
    assert await house.spent() == 0
    with anyio.move_on_after(0.5):
        await house.ask()
    assert await house.spent() == 100 * MICRO
    assert (await refusal(house)).type == "budget_exceeded"


async def test_a_call_that_is_cancelled_warns_too() -> None:
    house = House()
    house.put("0.0006", warn_at=0.1)
    call = to()
    with anyio.move_on_after(0.5):
        await house.ask(call)
    assert [(warning.type, warning.param) for warning in call.warnings] == [("budget_warning", "b")]


async def test_a_call_warns_once_of_each_budget_in_the_latest_words() -> None:
    house = House()
    house.put("0.0025", warn_at=0.1)
    call = to()
    await house.ask(call)
    call.transcript = type(call.transcript)()
    await house.ask(call)
    assert [warning.message for warning in call.warnings] == ["Of the budget b, 0.001 of 0.0025 US dollars are spent."]


@pytest.mark.parametrize(("used", "most"), [(400, 0), (410, 10), (300, 0)])
async def test_a_hundred_calls_at_once_exceed_a_budget_by_no_more_than_their_estimates_err(
    used: int, most: int
) -> None:
    house = House(uses(100, used))
    house.put("0.02")
    ended = await asyncio.gather(*(house.ask() for _ in range(100)), return_exceptions=True)
    refused = [error for error in ended if isinstance(error, SidecarError)]
    assert {error.type for error in refused} == {"budget_exceeded"}
    assert house.asked == 40 == 100 - len(refused)
    assert await house.spent() <= Decimal("0.02") + 40 * most * MICRO
    assert await house.spent() == 40 * (100 + used) * MICRO


async def test_the_budgets_of_a_file_that_does_not_answer_are_told_to_be_missing() -> None:
    house = House()
    house.budgets._asked = asyncio.get_running_loop().create_future()
    house.budgets._due = float("inf")
    call = await house.ask()
    assert call.warnings == [
        Warning("storage_unavailable", "The budgets could not be read in time, so this request is in none.")
    ]


@st.composite
def days(draw: st.DrawFn) -> list[tuple[int, int, float | None]]:
    """Return when calls come, how much they use, and when they are given up."""
    moments = st.none() | st.floats(0, 1.5)
    return draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 400), moments), max_size=30))


@given(days(), st.integers(0, 5_000))
def test_whatever_comes_the_budget_holds_and_agrees_with_the_ledger(
    calls: list[tuple[int, int, float | None]], limit: int
) -> None:
    async def one(house: House, at: int, used: int, patience: float | None) -> None:
        await asyncio.sleep(at)
        call = to(max_tokens=used or 1)
        try:
            with anyio.move_on_after(patience):
                await house.ask(call)
        except SidecarError as error:
            assert error.type == "budget_exceeded"  # noqa: PT017 - one of two good endings

    async def all_of_them() -> None:
        house = House(lambda call: uses(100, call.request.max_tokens or 0)(call))
        house.put(f"{limit * MICRO:f}")
        await asyncio.gather(*(one(house, *call) for call in calls))
        assert house.budgets._reservations == set()
        assert await house.spent() == await house.in_the_ledger() <= limit * MICRO

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(all_of_them())

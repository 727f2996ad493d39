from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import genai_prices
import pytest
from genai_prices import types
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.amounts import written
from sidecar.catalog.costs import cost_of, price_of_list, prompt_savings, shown
from sidecar.catalog.prices import Price, Tier, Tiered, price_of, table
from sidecar.catalog.rendering import NAMES, SOURCE
from sidecar.schema.models import LongContextRates, ModelPrice
from sidecar.schema.usage import Usage

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PRICE = Price(
    input=Tiered(Decimal(2), (Tier(200_000, Decimal(4)),)),
    output=Decimal(10),
    cache_read=Decimal("0.2"),
    cache_write=Decimal("2.5"),
    cache_write_1h=Decimal(4),
)


def clauses(match: Any) -> Iterator[str]:
    """Yield ids that a rule of the library is likely to match."""
    for inner in getattr(match, "or_", None) or getattr(match, "and_", None) or ():
        yield from clauses(inner)
    if isinstance(match, types.ClauseEquals):
        yield match.equals
    if isinstance(match, types.ClauseStartsWith):
        yield match.starts_with
        yield f"{match.starts_with}-20260131"


PROVIDERS = {provider.id: provider for provider in import_module("genai_prices.data").providers}
MODELS = {
    kind: sorted({id_ for model in PROVIDERS[name].models for id_ in (model.id, *clauses(model.match))})
    for kind, name in NAMES.items()
}
TIMES = [NOW + timedelta(days=days, hours=hours) for days in (-400, -100, 0, 20, 60) for hours in (0, 4, 14, 19)]


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Return inclusive counts, of any size that tiers tell apart."""
    count = st.integers(0, 2_000_000)
    read, five_minutes, hour, rest = (draw(count) for _ in range(4))
    reasoning, answer = draw(count), draw(count)
    return Usage(
        input_tokens=read + five_minutes + hour + rest,
        output_tokens=reasoning + answer,
        reasoning_tokens=draw(st.sampled_from([reasoning, None])),
        cache_read_tokens=draw(st.sampled_from([read, None])),
        cache_write_tokens=five_minutes + hour,
        cache_write_1h_tokens=draw(st.sampled_from([hour, None])),
    )


def library_cost(kind: str, model: str, usage: Usage, at: datetime) -> Decimal | None:
    """Return what the library says; None where it has no price for what is counted, which it takes for nothing."""
    counts = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_reasoning_tokens=usage.reasoning_tokens,
    )
    try:
        found = genai_prices.calc_price(counts, model, provider_id=NAMES[kind], genai_request_timestamp=at)
    except LookupError:
        return None
    price = found.model_price
    if price.input_mtok is None or (price.output_mtok is None and usage.output_tokens):
        return None
    return found.total_price


def our_cost(kind: str, model: str, usage: Usage, at: datetime) -> Decimal | None:
    price = price_of(kind, model, at)
    return None if price is None else cost_of(price, usage)


@pytest.fixture(autouse=True, scope="module")
def same_version() -> None:
    """Without it, differences say nothing."""
    if table("openai").source != SOURCE:
        pytest.skip(f"the tables are of {table('openai').source}, but {SOURCE} is installed")


@pytest.mark.parametrize("kind", NAMES)
def test_all_models_cost_what_the_library_says(kind: str) -> None:
    usage = Usage(
        input_tokens=250_001,
        output_tokens=70_003,
        reasoning_tokens=5_000,
        cache_read_tokens=100_000,
        cache_write_tokens=60_000,
        cache_write_1h_tokens=20_000,
    )
    ours = {model: our_cost(kind, model, usage, NOW) for model in MODELS[kind]}
    assert ours == {model: library_cost(kind, model, usage, NOW) for model in MODELS[kind]}
    assert sum(cost is not None for cost in ours.values()) >= len(ours) // 2


@settings(max_examples=400)
@given(
    st.sampled_from([(kind, model) for kind, models in MODELS.items() for model in models]),
    usages(),
    st.sampled_from(TIMES),
)
def test_any_usage_costs_what_the_library_says(model: tuple[str, str], usage: Usage, at: datetime) -> None:
    assert our_cost(*model, usage, at) == library_cost(*model, usage, at)


def test_the_parts_of_a_count_are_paid_once() -> None:
    usage = Usage(
        input_tokens=1_000,
        output_tokens=100,
        reasoning_tokens=40,
        cache_read_tokens=500,
        cache_write_tokens=300,
        cache_write_1h_tokens=100,
    )
    microdollars = 200 * 2 + 500 * Decimal("0.2") + 200 * Decimal("2.5") + 100 * 4 + 100 * 10
    assert cost_of(PRICE, usage) == microdollars / 1_000_000


def test_a_tier_counts_beyond_its_border_and_for_all_tokens() -> None:
    assert cost_of(PRICE, Usage(input_tokens=200_000, output_tokens=0)) == Decimal("0.4")
    assert cost_of(PRICE, Usage(input_tokens=200_001, output_tokens=0)) == Decimal("0.800004")


@pytest.mark.parametrize(
    "usage", [Usage(), Usage(output_tokens=5), Usage(input_tokens=5)], ids=["nothing", "no input", "no output"]
)
def test_what_was_not_counted_makes_the_cost_unknown(usage: Usage) -> None:
    assert cost_of(PRICE, usage) is None


def test_vectors_cost_their_texts_alone() -> None:
    price = Price(input=Decimal("0.02"))
    assert cost_of(price, Usage(input_tokens=1_000_000)) == Decimal("0.02")
    assert cost_of(price, Usage(input_tokens=1_000_000, output_tokens=1)) is None


def test_counts_that_contradict_each_other_never_pay_back() -> None:
    assert cost_of(PRICE, Usage(input_tokens=0, output_tokens=0, cache_read_tokens=10)) == Decimal("0.000002")


@given(st.decimals(min_value=0, max_value=10**9, places=9))
def test_money_is_written_plainly_and_loses_nothing(amount: Decimal) -> None:
    assert Decimal(written(amount)) == amount
    assert set(written(amount)) <= set("0123456789.")


def test_a_price_is_shown_with_its_tiers() -> None:
    assert shown(PRICE) == ModelPrice(
        source="table",
        input="2",
        output="10",
        cache_read="0.2",
        cache_write="2.5",
        cache_write_1h="4",
        long_context=[LongContextRates(above=200_000, input="4")],
    )
    fee = Price(input=Decimal(1), output=Decimal(1), request=Decimal("0.012"))
    assert shown(fee) == ModelPrice(source="table", input="1", output="1", request="0.012")


@given(st.integers(0, 2_000_000), st.integers(0, 100_000))
def test_a_price_that_is_shown_can_be_reckoned_with(asked: int, answered: int) -> None:
    usage = Usage(input_tokens=asked, output_tokens=answered, cache_read_tokens=asked // 2)
    for kind, model in (("openai", "gpt-6-sol"), ("anthropic", "claude-haiku-5-5"), ("google", "gemini-3.8-flash")):
        price = price_of(kind, model, NOW)
        assert price is not None
        assert cost_of(price_of_list(shown(price)), usage) == cost_of(price, usage)


def usage(**counts: int) -> Usage:
    return Usage(input_tokens=1_000_000, output_tokens=1_000, **counts)


def test_reading_from_the_prompt_cache_saves_what_the_tokens_cost_otherwise() -> None:
    assert prompt_savings(PRICE, usage(cache_read_tokens=500_000)) == Decimal("1.9")
    price = Price(input=Decimal(2), output=Decimal(10), cache_read=Decimal("0.2"))
    assert prompt_savings(price, usage(cache_read_tokens=500_000)) == Decimal("0.9")


def test_writing_to_the_prompt_cache_may_cost_more_than_it_saves() -> None:
    price = Price(input=Decimal(2), output=Decimal(10), cache_write=Decimal("2.5"), cache_write_1h=Decimal(4))
    assert prompt_savings(price, usage(cache_write_tokens=100_000)) == Decimal("-0.05")
    assert prompt_savings(price, usage(cache_write_tokens=100_000, cache_write_1h_tokens=100_000)) == Decimal("-0.2")


def test_what_is_not_priced_apart_saves_nothing() -> None:
    price = Price(input=Decimal(2), output=Decimal(10))
    assert prompt_savings(price, usage(cache_read_tokens=500_000)) == 0
    assert prompt_savings(PRICE, usage()) == 0


def test_of_unknown_costs_nothing_can_be_said_to_be_saved() -> None:
    assert prompt_savings(PRICE, Usage(cache_read_tokens=5)) is None


@given(usages())
def test_savings_are_the_difference_to_a_price_without_a_cache(usage: Usage) -> None:
    without = Price(input=PRICE.input, output=PRICE.output)
    paid, plain = cost_of(PRICE, usage), cost_of(without, usage)
    assert paid is not None
    assert plain is not None
    assert prompt_savings(PRICE, usage) == plain - paid

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.catalog.costs import cost_of, price_of_list
from sidecar.catalog.user_prices import UserPrice, UserStep
from sidecar.schema.models import LongContextRates, ModelPrice
from sidecar.schema.usage import Usage


def price(**fields: Any) -> UserPrice:
    """Return a price as the configuration file gives it."""
    return msgspec.convert({"provider": "p", "model": "m", "input": 1} | fields, UserPrice)


def test_rates_are_numbers_or_strings_and_keep_their_value() -> None:
    told = price(input=0.1, output="2.50", cache_read=3, cache_write=1e-7, request="0.01")
    assert told.shown() == ModelPrice(
        source="user", input="0.1", output="2.5", cache_read="3", cache_write="0.0000001", request="0.01"
    )


def test_a_price_with_every_rate_and_step_is_reckoned_with() -> None:
    told = price(
        input="2",
        output="10",
        cache_read="0.2",
        cache_write="2.5",
        cache_write_1h="4",
        reasoning="12",
        request="0.5",
        long_context=[{"above": 200_000, "input": "4", "output": 20}],
    )
    assert told.long_context == [UserStep(above=200_000, input=Decimal(4), output=Decimal(20))]
    assert told.shown().long_context == [LongContextRates(above=200_000, input="4", output="20")]
    usage = Usage(
        input_tokens=300_000,
        output_tokens=10_000,
        reasoning_tokens=4_000,
        cache_read_tokens=100_000,
        cache_write_tokens=50_000,
        cache_write_1h_tokens=20_000,
    )
    dollars = Decimal("0.5") + (
        150_000 * Decimal(4)
        + 100_000 * Decimal("0.2")
        + 30_000 * Decimal("2.5")
        + 20_000 * Decimal(4)
        + 6_000 * Decimal(20)
        + 4_000 * Decimal(12)
    ) / Decimal(1_000_000)
    assert cost_of(price_of_list(told.shown()), usage) == dollars


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (("p", "m"), [("p", "m"), ("P", "M")]),
        (("p", "*"), [("p", "m"), ("P", "M"), ("p", "m-2")]),
        (("*", "m-?"), [("p", "m-2"), ("q", "m-2")]),
        (("q", "m[1]"), [("q", "m[1]")]),
        (("nobody", "*"), []),
    ],
)
def test_a_price_is_for_exact_ids_or_for_all_that_a_pattern_matches(pattern: Any, names: Any) -> None:
    everyone = [("p", "m"), ("P", "M"), ("p", "m-2"), ("q", "m-2"), ("q", "m[1]")]
    told = price(provider=pattern[0], model=pattern[1])
    assert [name for name in everyone if told.matches(*name)] == names


@pytest.mark.parametrize(
    "fields",
    [
        {"input": -1},
        {"output": "NaN"},
        {"output": "Infinity"},
        {"request": "1e999999"},
        {"cache_read": "1e-13"},
        {"input": 10**9 + 1},
        {"input": "much"},
        {"inputs": 1},
        {"long_context": [{"above": 1, "input": -1}]},
        {"long_context": [{"above": -1}]},
        {"long_context": [{"input": 1}]},
        {"model": 5},
    ],
)
def test_what_is_no_price_is_refused(fields: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        price(**fields)


def test_a_price_needs_a_provider_a_model_and_a_rate_for_questions() -> None:
    for missing in ("provider", "model", "input"):
        fields = {"provider": "p", "model": "m", "input": 1}
        del fields[missing]  # type: ignore[arg-type]
        with pytest.raises(msgspec.ValidationError, match=missing):
            msgspec.convert(fields, UserPrice)


@given(st.decimals(0, 10**9, places=12))
def test_a_rate_is_shown_as_it_is(rate: Decimal) -> None:
    shown = price(input=str(rate)).shown().input
    assert shown is not None
    assert Decimal(shown) == rate
    assert set(shown) <= set("0123456789.")

from decimal import Decimal
from time import monotonic

import pytest
from calls import call_for
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sidecar.catalog.listings import Listings
from sidecar.catalog.user_prices import UserPrice
from sidecar.handler import Target
from sidecar.middleware.pricing import Prices
from sidecar.providers import PROVIDERS
from sidecar.schema.models import ModelInfo, ModelPrice
from sidecar.schema.usage import Cost, Usage

MILLION = Usage(input_tokens=1_000_000, output_tokens=100_000)
OWN = UserPrice(provider="*", model="*", input=Decimal(1), output=Decimal(1))


def to(provider: str, model: str = "m-1", id_: str = "mine") -> Target:
    return replace(call_for().target, id=id_, provider=PROVIDERS[provider], model=model)


def listing(target: Target, price: ModelPrice | None) -> Listings:
    listings = Listings()
    listings.remember(
        target.id, target.endpoint, [ModelInfo(id=target.model, provider=target.id, price=price)], monotonic()
    )
    return listings


def test_the_packaged_tables_know_prices() -> None:
    target = to("anthropic", "claude-opus-5-5")
    assert Prices().cost(target, MILLION) == Cost(amount="6", source="table")
    estimate = replace(MILLION, source="estimated")
    assert Prices().cost(target, estimate) == Cost(amount="6", source="table", estimated=True)
    tiny = Usage(input_tokens=1, output_tokens=0)
    assert Prices().cost(to("anthropic", "claude-haiku-5-5"), tiny) == Cost(amount="0.0000001", source="table")


@given(st.text(max_size=40))
def test_an_unknown_model_costs_null_and_never_nothing(model: str) -> None:
    assert Prices().cost(to("openai_compatible", model), MILLION) is None
    assert Prices().cost(to("openai", f"\x00{model}"), MILLION) is None


@pytest.mark.parametrize("provider", ["ollama", "local"])
def test_what_runs_on_this_machine_costs_nothing_whatever_is_said(provider: str) -> None:
    prices = Prices((replace(OWN, cache_read=Decimal(0)),))
    assert prices.cost(to(provider), MILLION) == Cost(amount="0", source="free")
    assert prices.savings(to(provider), replace(MILLION, cache_read_tokens=5)) == 0


def test_the_hosts_own_price_counts_where_the_tables_have_none() -> None:
    prices = Prices((OWN,))
    assert prices.cost(to("openai_compatible"), MILLION) == Cost(amount="1.1", source="user")
    assert prices.cost(to("anthropic", "claude-opus-5-5"), MILLION) == Cost(amount="6", source="table")


def test_the_first_price_that_matches_counts_by_the_name_of_the_instance_or_the_provider() -> None:
    cheap = UserPrice(provider="mine", model="m-1", input=Decimal("0.5"), output=Decimal(0))
    kind = UserPrice(provider="openai_compatible", model="m-*", input=Decimal(3), output=Decimal(0))
    prices = Prices((cheap, kind, OWN))
    found = [prices.cost(to("openai_compatible", *where), MILLION) for where in (("m-1",), ("m-2",), ("x",))]
    assert [cost and cost.amount for cost in found] == ["0.5", "3", "1.1"]


def test_a_price_that_a_provider_lists_counts_first() -> None:
    target = to("anthropic", "claude-opus-5-5")
    price = ModelPrice(source="provider", input="7", output="0")
    assert Prices((OWN,), listing(target, price)).cost(target, MILLION) == Cost(amount="7", source="provider")
    told = replace(target, model="another")
    assert Prices((OWN,), listing(target, price)).cost(told, MILLION) == Cost(amount="1.1", source="user")
    assert Prices((), listing(target, None)).cost(target, MILLION) == Cost(amount="6", source="table")


def test_a_list_that_says_too_little_leaves_it_to_the_next() -> None:
    target = to("anthropic", "claude-opus-5-5")
    inputs = ModelPrice(source="provider", input="7")
    assert Prices((), listing(target, inputs)).cost(target, MILLION) == Cost(amount="6", source="table")


def test_savings_are_those_of_the_best_known_price() -> None:
    target, usage = to("openai_compatible"), replace(MILLION, cache_read_tokens=1_000_000)
    cached = replace(OWN, cache_read=Decimal("0.25"))
    assert Prices((cached,)).savings(target, usage) == Decimal("0.75")
    assert Prices().savings(target, usage) == 0
    assert Prices((cached,)).savings(target, Usage(cache_read_tokens=5)) == 0

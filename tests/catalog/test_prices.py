from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest

from sidecar.catalog.prices import DATA, Table, Tier, Tiered, listed, price_of, table

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def rates(kind: str, model: str, at: datetime = NOW) -> tuple[object, object] | None:
    price = price_of(kind, model, at)
    return price and (price.input, price.output)


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("openai", "gpt-17"),
        ("openai", ""),
        ("ollama", "gpt-6-sol"),
        ("nobody", "gpt-6-sol"),
        ("openai", "whisper-1"),  # paid by the hour
        ("google", "gemma-3"),  # listed without a price
    ],
)
def test_a_price_that_is_not_in_the_tables_is_unknown(kind: str, model: str) -> None:
    assert price_of(kind, model, NOW) is None


def test_a_price_is_found_in_any_case_of_letters() -> None:
    assert rates("openai", "gpt-6-sol") == rates("openai", "GPT-6-Sol")
    assert rates("anthropic", "claude-opus-5-5") == (Decimal(4), Decimal(20))


def test_a_long_question_has_rates_of_its_own() -> None:
    assert rates("openai", "gpt-6.1-terra") == (
        Tiered(Decimal(1), (Tier(272_000, Decimal(2)),)),
        Tiered(Decimal(5), (Tier(272_000, Decimal("7.5")),)),
    )


def test_a_dated_price_holds_from_its_day_on_in_utc() -> None:
    last = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    assert rates("google", "gemini-4-argon", last) == (Decimal(2), Decimal(10))
    assert rates("google", "gemini-4-argon", last + timedelta(minutes=1)) == (Decimal(4), Decimal(20))
    early = datetime(2026, 12, 1, 5, tzinfo=timezone(timedelta(hours=6)))
    assert rates("google", "gemini-4-argon", early) == (Decimal(2), Decimal(10))


@pytest.mark.parametrize(
    ("hour", "expected"), [(0, "0.15"), (1, "0.3"), (3, "0.3"), (4, "0.15"), (6, "0.3"), (10, "0.15")]
)
def test_a_price_may_depend_on_the_hour(hour: int, expected: str) -> None:
    price = price_of("deepseek", "deepseek-v4-flash", NOW.replace(hour=hour))
    assert price is not None
    assert price.input == Decimal(expected)


def test_hours_may_lie_on_both_sides_of_midnight() -> None:
    lines = b'{"id":"m","rule":{},"prices":[{"input":"1"},{"input":"2","daily":["22:00:00","02:00:00"]}]}'
    (model,) = msgspec.json.decode(b'{"models":[' + lines + b"]}", type=Table).models
    found = [price.input for hour in (21, 22, 1, 2) if (price := model.price(NOW.replace(hour=hour)))]
    assert found == [Decimal(1), Decimal(2), Decimal(2), Decimal(1)]


def test_a_model_of_another_maker_has_its_makers_price() -> None:
    assert rates("azure", "gpt-6-luna") == rates("openai", "gpt-6-luna")
    assert rates("azure", "my-deployment") is None


def test_a_date_in_an_id_may_be_written_without_hyphens() -> None:
    assert listed("openai", "gpt-4o-20240806") == listed("openai", "gpt-4o-2024-08-06")
    assert listed("openai", "gpt-5.2-20260230") is None


def test_the_tables_are_small_and_all_of_one_source() -> None:
    kinds = {path.stem for path in DATA.glob("*.json")}
    assert len({table(kind).source for kind in kinds}) == 1
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 300_000
    assert {maker for kind in kinds for maker in table(kind).also} <= kinds

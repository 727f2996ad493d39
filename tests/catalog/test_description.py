from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from sidecar.catalog.description import described
from sidecar.dialects.traits import UNKNOWN, ModelTraits
from sidecar.schema.models import LongContextRates, ModelInfo, ModelPrice

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
THINKING = ModelTraits(efforts=("none", "low", "high"), max_output_tokens=64_000)


def bare(model: str) -> ModelInfo:
    return ModelInfo(id=model, provider="mine")


def test_a_bare_id_is_completed() -> None:
    assert described(bare("gpt-6.1-terra"), "openai", THINKING, NOW) == ModelInfo(
        id="gpt-6.1-terra",
        provider="mine",
        name="GPT-6.1 Terra",
        context_length=1_050_000,
        max_output_tokens=64_000,
        input_modalities=["text", "image", "file"],
        output_modalities=["text"],
        capabilities=["tools", "structured_output", "reasoning", "vision", "documents", "web_search"],
        reasoning_efforts=["none", "low", "high"],
        price=ModelPrice(
            source="table",
            input="1",
            output="5",
            cache_read="0.05",
            cache_write="1.25",
            long_context=[
                LongContextRates(above=272_000, input="2", output="7.5", cache_read="0.1", cache_write="2.5")
            ],
        ),
    )


def test_of_an_unknown_model_nothing_is_made_up() -> None:
    assert described(bare("my-own"), "openai", UNKNOWN, NOW) == bare("my-own")
    assert described(bare("my-own"), "nobody", replace(THINKING, max_output_tokens=None), NOW) == bare("my-own")


def test_the_providers_word_counts() -> None:
    told = ModelInfo(
        id="claude-opus-5-5",
        provider="anthropic",
        name="Opus",
        context_length=7,
        max_output_tokens=8,
        input_modalities=["text"],
        output_modalities=["audio"],
        capabilities=["reasoning"],
        reasoning_efforts=[],
        lifecycle="active",
        shut_down="2099-01-01",
        successor="later",
        price=ModelPrice(source="provider", input="9"),
    )
    assert described(told, "anthropic", THINKING, NOW) == told


def test_a_model_cannot_do_what_its_provider_lists_no_input_for() -> None:
    told = replace(bare("claude-opus-5-5"), input_modalities=["text"])
    found = described(told, "anthropic", UNKNOWN, NOW)
    assert found.capabilities == ["tools", "structured_output", "reasoning", "web_search"]
    assert found.input_modalities == ["text"]


def test_a_model_cannot_do_what_it_cannot_be_asked_for() -> None:
    found = described(bare("gpt-5-chat-latest"), "openai", ModelTraits(efforts=(), files=frozenset({"image"})), NOW)
    assert found.capabilities == ["tools", "structured_output", "vision", "web_search"]
    assert found.input_modalities == ["text", "image"]
    assert found.reasoning_efforts is None
    by_budget = ModelTraits(efforts=(), budgets=(1024, 56_000))
    found = described(bare("claude-haiku-4-5"), "anthropic", by_budget, NOW)
    assert "reasoning" in (found.capabilities or ())


@pytest.mark.parametrize(
    ("kind", "model", "expected"),
    [
        ("openai", "gpt-4o", ("deprecated", "2027-01-14", "gpt-6-sol")),
        ("openai", "gpt-5", ("deprecated", "2026-12-11", None)),
        ("google", "gemini-1.5-pro", ("retired", None, "gemini-4-argon")),
        ("openai", "gpt-6-sol", (None, None, None)),
        ("azure", "gpt-4o", (None, None, None)),
    ],
)
def test_the_end_of_a_model_is_told(kind: str, model: str, expected: object) -> None:
    found = described(bare(model), kind, UNKNOWN, NOW)
    assert (found.lifecycle, found.shut_down, found.successor) == expected


def test_what_the_price_table_calls_deprecated_is() -> None:
    assert described(bare("devstral-2512"), "mistral", UNKNOWN, NOW).lifecycle == "deprecated"


def test_a_model_by_another_name_keeps_its_own() -> None:
    found = described(bare("gemini-flash-latest"), "google", UNKNOWN, NOW)
    assert (found.name, found.context_length) == (None, 1_000_000)

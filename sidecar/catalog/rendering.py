"""Renders the price tables from genai-prices: `python -m sidecar.catalog.rendering`, after an update of it."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import genai_prices
import msgspec
from genai_prices import types

from sidecar.catalog.prices import DATA, Listed, Price, Rate, Tier, Tiered
from sidecar.catalog.rules import Rule

SOURCE: Final = f"genai-prices {genai_prices.__version__}"

NAMES: Final = {
    "openai": "openai",
    "azure": "azure",
    "anthropic": "anthropic",
    "google": "google",
    "xai": "x-ai",
    "groq": "groq",
    "mistral": "mistral",
    "deepseek": "deepseek",
    "together": "together",
    "cerebras": "cerebras",
    "fireworks": "fireworks",
    "perplexity": "perplexity",
}
"""Our providers, by the names that they have there."""

RATES: Final = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
    "input_audio": "input_audio_mtok",
    "output_audio": "output_audio_mtok",
}

CLAUSES: Final[dict[type, str]] = {
    types.ClauseEquals: "equals",
    types.ClauseStartsWith: "starts_with",
    types.ClauseEndsWith: "ends_with",
    types.ClauseContains: "contains",
    types.ClauseRegex: "regex",
}


def files() -> dict[Path, str]:
    """Return the path and the content of every table, a model a line."""
    # Not imported by a statement: type checkers would take a minute for its thirty thousand lines.
    providers: list[types.Provider] = import_module("genai_prices.data").providers
    found = {provider.id: provider for provider in providers}
    return {DATA / f"{kind}.json": _file(found[name]) for kind, name in NAMES.items()}


def _file(provider: types.Provider) -> str:
    makers = provider.fallback_model_providers or ()
    also = [ours for maker in makers for ours, theirs in NAMES.items() if theirs == maker]
    head = {"source": SOURCE} | ({"also": also} if also else {})
    models = ",\n".join(_json(_listed(model)) for model in provider.models)
    return f'{_json(head)[:-1]},"models":[\n{models}\n]}}\n'


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _listed(model: types.ModelInfo) -> Listed:
    return Listed(
        id=model.id,
        rule=_rule(model.match),
        name=model.name,
        context_length=model.context_window,
        deprecated=bool(model.deprecated),
        prices=_prices(model.prices),
    )


def _rule(match: Any) -> Rule:
    """Return alternatives as one rule, and conjunctions as groups of rules."""
    clauses: dict[str, list[Any]] = {}
    _collect(match, clauses)
    return Rule(**{name: tuple(values) for name, values in clauses.items()})


def _collect(match: Any, clauses: dict[str, list[Any]]) -> None:
    if isinstance(match, types.ClauseOr):
        for inner in match.or_:
            _collect(inner, clauses)
    elif isinstance(match, types.ClauseAnd):
        clauses.setdefault("every", []).append(tuple(_rule(inner) for inner in match.and_))
    else:
        name = CLAUSES[type(match)]
        text: str = getattr(match, name)
        clauses.setdefault(name, []).append(text if name == "regex" else text.lower())


def _prices(prices: types.ModelPrice | list[types.ConditionalPrice]) -> tuple[Price, ...]:
    if isinstance(prices, types.ModelPrice):
        return (_price(prices),)
    return tuple(_price(one.prices, **_condition(one.constraint)) for one in prices)


def _condition(constraint: types.StartDateConstraint | types.TimeOfDateConstraint | None) -> dict[str, Any]:
    if constraint is None:
        return {}
    if isinstance(constraint, types.StartDateConstraint):
        return {"since": constraint.start_date}
    return {"daily": (_in_utc(constraint.start_time), _in_utc(constraint.end_time))}


def _in_utc(moment: time) -> time:
    """Return the time of day as it is in UTC, without a zone; without one it is UTC already."""
    if moment.tzinfo is None:
        return moment
    return datetime.combine(date(1970, 1, 1), moment).astimezone(UTC).time()


def _price(price: types.ModelPrice, **fields: Any) -> Price:
    fields |= {ours: _rate(getattr(price, theirs)) for ours, theirs in RATES.items()}
    if isinstance(price.requests_kcount, Decimal):
        fields["request"] = price.requests_kcount / 1000
    return Price(**fields)


def _rate(rate: Decimal | types.TieredPrices | None) -> Rate | None:
    if not isinstance(rate, types.TieredPrices):
        return rate
    return Tiered(rate.base, tuple(Tier(tier.start, tier.price) for tier in rate.tiers))


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content, "utf-8")

"""What our tables make of recorded answers agrees with what the providers say that they cost."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import pytest
from msgspec import Struct
from msgspec.structs import replace
from recorded import AIM, Json, dialect_of, exchanges

from sidecar.amounts import written
from sidecar.catalog.costs import cost_of
from sidecar.catalog.prices import price_of
from sidecar.dialects.quirks import ChatQuirks
from sidecar.schema.errors import SidecarError
from sidecar.transcript import Transcript

FIGURE: Final = re.compile(r'"(cost|total_cost|cost_in_usd_ticks)": ?[0-9]')
TOLERANCE: Final = Decimal("0.02")
AT: Final = datetime(2026, 11, 22, tzinfo=UTC)
TELLING: Final = replace(AIM, quirks=ChatQuirks(cost_field=True))

MAKERS: Final = {
    "x-ai/grok-4.1-fast": ("xai", "grok-4-1-fast"),
    "google/gemini-3.1-flash-lite-preview-20260303": ("google", "gemini-3.1-flash-lite-preview-20260303"),
    "openai/gpt-5-nano": ("openai", "gpt-5-nano"),
    "grok-4.7": ("xai", "grok-4.7"),
}
"""The tables of the models that were asked; a gateway passes its makers' prices on."""


class Figures(Struct, frozen=True):
    """What an answer cost by the provider and by our table, and why, where they disagree."""

    told: str | None
    ours: str | None
    cause: str | None = None


EXPECTED: Final = {
    "fantasy-23ade5621b": Figures("0.00019135", "0.00019135"),
    "fantasy-27c332d8d7": Figures("0.00008725", "0.00008725"),
    "llm-openrouter-7a477fa29a": Figures("0.0000086", "0.0000086"),
    "pydantic-ai-b811689f85": Figures(None, None, "the answer fails, and the model has no price of a maker"),
    "own-chat-drawn": Figures("0.0387", None, "written by hand, of no model"),
    "own-chat-sources": Figures("0.0051", None, "written by hand, of no model"),
    "own-responses-ticks": Figures("0.0001234", "0.000059", "written by hand: its price is not that of its tokens"),
}
"""All answers that tell what they cost."""


RECORDED: Final = [exchange for exchange in exchanges() if FIGURE.search(exchange["response_body"])]


def figures(exchange: Json) -> tuple[str | None, str | None]:
    """Return what the answer cost by the provider, and by our table from its token counts alone."""
    dialect, transcript = dialect_of(exchange["dialect"]), Transcript()
    framer, decoder = dialect.framer(), dialect.decode_stream(TELLING)
    frames = [*framer.feed(exchange["response_body"].encode()), *framer.close()]
    try:
        for event in (event for frame in frames for event in decoder.feed(frame)):
            transcript.add(event)
    except SidecarError:
        return None, None
    price = price_of(*MAKERS.get(exchange.get("model", ""), ("nobody", "")), AT)
    amount = price and transcript.usage and cost_of(price, transcript.usage)
    return decoder.cost, None if amount is None else written(amount)


@pytest.mark.parametrize("exchange", RECORDED, ids=lambda exchange: exchange["id"])
def test_our_tables_agree_with_what_providers_tell(exchange: Json) -> None:
    expected = EXPECTED[exchange["id"]]
    told, ours = figures(exchange)
    assert (told, ours) == (expected.told, expected.ours)
    if expected.cause is None:
        assert told is not None
        assert ours is not None
        assert abs(Decimal(ours) - Decimal(told)) <= TOLERANCE * Decimal(told)

"""Token counts and prices in the words of the protocol."""

from typing import Final

from sidecar.dialects.counts import Counts, checked
from sidecar.dialects.money import decimal, ticks
from sidecar.dialects.openai_responses.wire import InputDetails, OutputDetails, WireUsage
from sidecar.schema.events import UsageDelta

NO_INPUT: Final = InputDetails()
NO_OUTPUT: Final = OutputDetails()


def counted(wire: WireUsage) -> UsageDelta:
    """Return the counts of `wire`; where the total shows that reasoning was left out of the output, it is added."""
    details = wire.input_tokens_details or NO_INPUT
    reasoning = (wire.output_tokens_details or NO_OUTPUT).reasoning_tokens
    output = wire.output_tokens
    if output is not None and reasoning and _gap(wire) >= reasoning:
        output += reasoning
    return checked(
        Counts(
            input=wire.input_tokens,
            output=output,
            reasoning=reasoning,
            cache_read=details.cached_tokens,
            cache_write=details.cache_write_tokens,
        )
    )


def price(wire: WireUsage, *, told: bool) -> str | None:
    """Return what the answer cost in US dollars; `told` says whether `cost` is that."""
    return ticks(wire.cost_in_usd_ticks) or (decimal(wire.cost) if told else None)


def _gap(wire: WireUsage) -> float:
    """Return by how much the total exceeds its parts."""
    if wire.total_tokens is None or wire.input_tokens is None or wire.output_tokens is None:
        return 0
    return wire.total_tokens - wire.input_tokens - wire.output_tokens

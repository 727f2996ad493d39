"""Token counts in the words of the protocol: totals include their parts."""

from typing import Final

import msgspec
from msgspec.structs import asdict

from sidecar.dialects.counts import Counts, Number, checked, whole
from sidecar.dialects.lenient import UNREADABLE
from sidecar.dialects.money import decimal, ticks
from sidecar.dialects.openai_chat.wire import Bill, TokenDetails, WireUsage
from sidecar.schema.events import UsageDelta

NO_DETAILS: Final = TokenDetails()


def normalise(wire: WireUsage, *, reasoning_excluded: bool) -> UsageDelta:
    """Return the counts of `wire`. `reasoning_excluded` says whether output leaves reasoning out, if no total tells."""
    prompt = wire.prompt_tokens_details or NO_DETAILS
    completion = wire.completion_tokens_details or NO_DETAILS
    reasoning = _first(completion.reasoning_tokens, wire.reasoning_tokens)
    return checked(
        Counts(
            input=wire.prompt_tokens,
            output=_output(wire, whole(reasoning), reasoning_excluded=reasoning_excluded),
            reasoning=reasoning,
            cache_read=_first(
                prompt.cached_tokens,
                wire.prompt_cache_hit_tokens,
                wire.num_cached_tokens,
                wire.cached_tokens,
                wire.cache_read_input_tokens,
            ),
            cache_write=_first(
                prompt.cache_write_tokens, prompt.cache_creation_input_tokens, wire.cache_creation_input_tokens
            ),
        )
    )


def _output(wire: WireUsage, reasoning: int | None, *, reasoning_excluded: bool) -> Number:
    """Return the output with its reasoning."""
    output = whole(wire.completion_tokens)
    if output is None or not reasoning:
        return output
    gap = _gap(wire)
    excluded = reasoning_excluded if gap is None else gap >= reasoning
    return output + reasoning if excluded else output


def merge(older: UsageDelta | None, newer: UsageDelta) -> UsageDelta:
    """Return the counts of `newer`, and those of `older` that `newer` leaves out."""
    if older is None:
        return newer
    known = {name: value for name, value in asdict(newer).items() if value is not None}
    return UsageDelta(**(asdict(older) | known))


def price(wire: WireUsage, *, told: bool) -> str | None:
    """Return what the answer cost in US dollars; `told` says whether `cost`, a number or its items, is that."""
    amount = ticks(wire.cost_in_usd_ticks)
    if amount is not None or not told:
        return amount
    if bytes(memoryview(wire.cost)[:1]) != b"{":
        return decimal(wire.cost)
    try:
        return decimal(msgspec.json.decode(wire.cost, type=Bill).total_cost)
    except UNREADABLE:
        return None


def _gap(wire: WireUsage) -> int | None:
    """Return by how much the total exceeds its parts."""
    total, prompt, completion = (whole(n) for n in (wire.total_tokens, wire.prompt_tokens, wire.completion_tokens))
    if total is None or prompt is None or completion is None:
        return None
    return total - prompt - completion


def _first(*numbers: Number) -> Number:
    return next((number for number in numbers if number is not None), None)

"""Token counts in the words of the protocol: totals include their parts."""

from decimal import Decimal, InvalidOperation

from msgspec import Raw
from msgspec.structs import asdict

from sidecar.dialects.openai_chat.wire import Number, TokenDetails, WireUsage
from sidecar.schema.events import UsageDelta

NO_DETAILS = TokenDetails()


def normalise(wire: WireUsage, *, reasoning_excluded: bool) -> UsageDelta:
    """Return the counts of `wire`. `reasoning_excluded` says whether output leaves reasoning out, if no total tells."""
    prompt = wire.prompt_tokens_details or NO_DETAILS
    completion = wire.completion_tokens_details or NO_DETAILS
    cached = _first(prompt.cached_tokens, wire.prompt_cache_hit_tokens, wire.num_cached_tokens, wire.cached_tokens)
    reasoning = _first(completion.reasoning_tokens, wire.reasoning_tokens)
    input_tokens = _first(wire.prompt_tokens)
    output_tokens = _first(wire.completion_tokens)
    if output_tokens is not None and reasoning:
        gap = _gap(wire)
        if reasoning_excluded if gap is None else gap >= reasoning:
            output_tokens += reasoning
    return UsageDelta(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        reasoning_tokens=_clamp(reasoning, output_tokens),
        cache_read_tokens=_clamp(cached, input_tokens),
        cache_write_tokens=_clamp(_first(prompt.cache_write_tokens), input_tokens),
    )


def merge(older: UsageDelta | None, newer: UsageDelta) -> UsageDelta:
    """Return the counts of `newer`, and those of `older` that `newer` leaves out."""
    if older is None:
        return newer
    known = {name: value for name, value in asdict(newer).items() if value is not None}
    return UsageDelta(**(asdict(older) | known))


def decimal(number: Raw) -> str | None:
    """Return a JSON number, or a number in a string, as a decimal string without loss."""
    text = bytes(number).decode().strip('"')
    if not text or text == "null":
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return format(value, "f") if value.is_finite() else None


def _gap(wire: WireUsage) -> int | None:
    """Return by how much the total exceeds its parts."""
    total, prompt, completion = (_first(n) for n in (wire.total_tokens, wire.prompt_tokens, wire.completion_tokens))
    if total is None or prompt is None or completion is None:
        return None
    return total - prompt - completion


def _first(*numbers: Number) -> int | None:
    return next((max(0, int(number)) for number in numbers if number is not None), None)


def _clamp(part: int | None, whole: int | None) -> int | None:
    return part if part is None or whole is None else min(part, whole)

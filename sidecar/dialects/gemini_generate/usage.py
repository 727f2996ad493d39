"""Token counts in the words of the protocol, summed over the requests that an answer took."""

from sidecar.dialects.counts import whole
from sidecar.dialects.gemini_generate.wire import WireUsage
from sidecar.schema.events import UsageDelta


class Meter:
    """Counts the tokens of one answer."""

    __slots__ = ("_earlier", "_latest", "_seen")

    def __init__(self) -> None:
        self._seen: WireUsage | None = None
        self._latest: UsageDelta | None = None
        self._earlier: UsageDelta | None = None

    def count(self, wire: WireUsage) -> UsageDelta | None:
        """Return the counts so far, or nothing where they stay as they were."""
        if wire == self._seen:
            return None
        self._seen = wire
        usage = normalise(wire)
        if usage.input_tokens is None and usage.output_tokens is None:
            return None
        self._latest = usage if self._earlier is None else _added(self._earlier, usage)
        return self._latest

    def next_request(self) -> None:
        """Keep what was counted: the next counts begin anew."""
        self._earlier, self._seen = self._latest, None


def normalise(wire: WireUsage) -> UsageDelta:
    """Return inclusive counts: candidates leave thoughts out, and prompts what the provider's tools read.

    What is zero is not sent, so an answer of which only the prompt is counted has no tokens.
    """
    thoughts = whole(wire.thoughts_token_count)
    read = whole(wire.cached_content_token_count)
    question = _sum(whole(wire.prompt_token_count), whole(wire.tool_use_prompt_token_count))
    words = _sum(whole(wire.candidates_token_count), thoughts)
    return UsageDelta(
        input_tokens=question,
        output_tokens=0 if words is None and question is not None else words,
        reasoning_tokens=thoughts,
        cache_read_tokens=read if read is None or question is None else min(read, question),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other


def _added(earlier: UsageDelta, usage: UsageDelta) -> UsageDelta:
    """Return the counts of both requests; the question itself counts once."""
    asked = usage if earlier.input_tokens is None else earlier
    return UsageDelta(
        input_tokens=asked.input_tokens,
        output_tokens=_sum(earlier.output_tokens, usage.output_tokens),
        reasoning_tokens=_sum(earlier.reasoning_tokens, usage.reasoning_tokens),
        cache_read_tokens=asked.cache_read_tokens,
    )

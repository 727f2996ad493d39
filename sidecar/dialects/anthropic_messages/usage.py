"""Token counts in the words of the protocol: totals include their parts."""

from msgspec.structs import asdict

from sidecar.dialects.anthropic_messages.wire import CacheCreation, OutputDetails, WireUsage
from sidecar.dialects.counts import Counts, checked, whole
from sidecar.schema.events import UsageDelta

NO_CREATION = CacheCreation()
NO_DETAILS = OutputDetails()


def merge(older: WireUsage, newer: WireUsage) -> WireUsage:
    """Return the counts of `newer`, and those of `older` that `newer` leaves out: counts are cumulative."""
    known = {name: value for name, value in asdict(newer).items() if value is not None}
    return WireUsage(**(asdict(older) | known))


def normalise(wire: WireUsage) -> UsageDelta:
    """Return the counts, the cached part of the input included."""
    creation = wire.cache_creation or NO_CREATION
    read, written = whole(wire.cache_read_input_tokens), whole(wire.cache_creation_input_tokens)
    long, short = whole(creation.ephemeral_1h_input_tokens), whole(creation.ephemeral_5m_input_tokens)
    if written is None and (long is not None or short is not None):
        written = (long or 0) + (short or 0)
    uncached = whole(wire.input_tokens)
    return checked(
        Counts(
            input=None if uncached is None else uncached + (read or 0) + (written or 0),
            output=wire.output_tokens,
            reasoning=(wire.output_tokens_details or NO_DETAILS).thinking_tokens,
            cache_read=read,
            cache_write=written,
            cache_write_1h=long,
        )
    )

"""Token counts checked."""

import pytest

from sidecar.dialects.counts import MAX_COUNT, Counts, checked
from sidecar.schema.events import UsageDelta


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        (Counts(), UsageDelta()),
        (Counts(input=0, output=0), UsageDelta(input_tokens=0, output_tokens=0)),
        (Counts(input=10.0, output=-3), UsageDelta(input_tokens=10, output_tokens=0)),
        (
            Counts(input=10, cache_read=20, cache_write=5, cache_write_1h=9),
            UsageDelta(input_tokens=10, cache_read_tokens=10, cache_write_tokens=0, cache_write_1h_tokens=0),
        ),
        (
            Counts(input=30, cache_read=20, cache_write=5, cache_write_1h=9),
            UsageDelta(input_tokens=30, cache_read_tokens=20, cache_write_tokens=5, cache_write_1h_tokens=5),
        ),
        (Counts(input=1e300, output=2**53), UsageDelta(input_tokens=MAX_COUNT, output_tokens=MAX_COUNT)),
        (Counts(output=5, reasoning=9), UsageDelta(output_tokens=5, reasoning_tokens=5)),
        (Counts(reasoning=9, cache_read=3), UsageDelta(reasoning_tokens=9, cache_read_tokens=3)),
    ],
)
def test_totals_include_their_parts(counts: Counts, usage: UsageDelta) -> None:
    assert checked(counts) == usage

"""A short soak: see soak.py for the long one."""

import sys
from pathlib import Path

import pytest
from soak import MAX_GROWTH, soak


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_thousands_of_requests_streams_cancels_and_faults_leave_nothing_behind(tmp_path: Path) -> None:
    result = soak(tmp_path, requests=10_000, streams=1_000, bound_s=120)
    assert result.faults == []
    assert result.outcomes.total() == result.asked
    assert result.outcomes["cancelled"] > 100
    assert result.outcomes["stream_interrupted"] > 100
    assert result.more_descriptors <= 0, result.line()
    assert result.growth <= MAX_GROWTH, result.line()

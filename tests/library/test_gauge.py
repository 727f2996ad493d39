"""The speed of a download, and how long the rest takes."""

from sidecar.library.gauge import Gauge
from sidecar.schema.tasks import TaskReport


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_speed_is_that_of_the_last_seconds() -> None:
    clock = Clock()
    gauge = Gauge(clock)
    assert gauge.report(500, 4000) == TaskReport(kind="download", progress=0.125, bytes=500, total_bytes=4000)
    clock.now += 1
    assert gauge.report(1500, 4000) == TaskReport(
        kind="download", progress=0.375, bytes=1500, total_bytes=4000, bytes_per_second=1000, eta_ms=2500
    )
    for _ in range(10):
        clock.now += 1
        report = gauge.report(1500, 4000)
    assert (report.bytes_per_second, report.eta_ms) == (0, None)


def test_without_a_length_there_is_no_end_in_sight() -> None:
    clock = Clock()
    gauge = Gauge(clock)
    gauge.report(0, None)
    clock.now += 2
    assert gauge.report(100, None) == TaskReport(kind="download", bytes=100, bytes_per_second=50)


def test_a_download_that_starts_over_has_no_speed_below_zero() -> None:
    clock = Clock()
    gauge = Gauge(clock)
    gauge.report(1000, 4000)
    clock.now += 1
    assert gauge.report(0, 4000).bytes_per_second is None

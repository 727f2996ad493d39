"""How fast a download is, and how long it will take."""

from collections import deque
from collections.abc import Callable
from typing import Final

from sidecar.schema.tasks import TaskReport

WINDOW_S: Final = 5.0
"""The speed told is that of the last few seconds."""
SAMPLE_S: Final = 0.1


class Gauge:
    """Turns bytes into reports. `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque()

    def report(self, size: int, total: int | None) -> TaskReport:
        """Return the report for having `size` of `total` bytes."""
        speed = self._speed(size)
        left = None if total is None else max(0, total - size)
        return TaskReport(
            kind="download",
            progress=None if not total else round(min(1.0, size / total), 4),
            bytes=size,
            total_bytes=total,
            bytes_per_second=speed,
            eta_ms=round(left / speed * 1000) if speed and left is not None else None,
        )

    def _speed(self, size: int) -> int | None:
        now, samples = self._clock(), self._samples
        while len(samples) > 1 and samples[0][0] < now - WINDOW_S:
            samples.popleft()
        first = samples[0] if samples else (now, size)
        if not samples or now - samples[-1][0] >= SAMPLE_S:
            samples.append((now, size))
        seconds = now - first[0]
        return round((size - first[1]) / seconds) if seconds >= SAMPLE_S and size >= first[1] else None

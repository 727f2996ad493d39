"""When a sidecar that has gone may be started anew."""

from typing import Final

FIRST_DELAY: Final = 0.25
LONGEST_DELAY: Final = 8.0
MAX_FAILURES: Final = 5
"""So many in a row, and there is a pause."""
PAUSE: Final = 30.0
STABLE: Final = 10.0
"""A sidecar that lived so long after its handshake did not fail. All in seconds."""


class Restarts:
    """Counts the failures in a row. Times are seconds of one clock, whichever it is."""

    def __init__(self) -> None:
        self._failures = 0
        self._ended = 0.0

    def note_end(self, ready: float | None, now: float) -> None:
        """Note that a process has gone, which was `ready` then, or never."""
        lasted = ready is not None and now - ready >= STABLE
        self._failures = 0 if lasted else self._failures + 1
        self._ended = now

    def wait(self, now: float) -> float | None:
        """Return how long to wait before the next start; None is not now, as too many have failed."""
        if self._failures >= MAX_FAILURES:
            return None if now < self._ended + PAUSE else 0.0
        delay = 0.0 if self._failures <= 1 else min(FIRST_DELAY * 2.0 ** (self._failures - 2), LONGEST_DELAY)
        return max(0.0, self._ended + delay - now)

"""Whether the machine has slept, or has moved to another network meanwhile: its wall clock went on by itself."""

import time
from typing import Final

TOLERANCE_S: Final = 5.0
"""By how much the two clocks may drift apart, as the wall clock is set right now and then."""


def _lead() -> float:
    """Return by how much the wall clock is ahead of the one that stands still while the machine sleeps.

    Where that one goes on, on Windows, connections that slept for long are dropped for having been idle for long.
    """
    return time.time() - time.monotonic()


class SleepWatch:
    """Notices on being asked; nothing runs meanwhile."""

    def __init__(self) -> None:
        self._lead = _lead()

    def slept(self) -> bool:
        """Tell whether the clocks went apart since this was asked last."""
        before, self._lead = self._lead, _lead()
        return abs(self._lead - before) > TOLERANCE_S

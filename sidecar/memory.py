"""Large blocks of memory: kept while large requests come, given back when they stop.

By itself the C library returns each large block to the system at once, and the next request waits for the same pages
to be mapped and cleared anew: half the time of a request of 10 MB. https://man7.org/linux/man-pages/man3/mallopt.3.html
"""

import asyncio
from typing import Any, Final

LARGE_BYTES: Final = 1 << 20
"""From this size on a request is large."""

KEPT_BLOCK_BYTES: Final = 32 << 20
KEPT_BYTES: Final = 128 << 20
"""The largest block that is kept, and how much may be kept altogether."""

IDLE_S: Final = 5.0
"""How long after the last large request memory is given back."""

M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3


class LargeBlocks:
    """Tells the C library when to keep large blocks; does nothing where it cannot be told."""

    def __init__(self, library: Any = None) -> None:
        self._library = library
        self._kept = False
        self._timer: asyncio.TimerHandle | None = None

    def used(self) -> None:
        """Take note of a large request."""
        if not self._kept:
            self._kept = True
            self._keep()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(IDLE_S, self._give_back)

    def _keep(self) -> None:
        self._library = self._library or _c_library()
        if hasattr(self._library, "mallopt"):
            self._library.mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK_BYTES)
            self._library.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)

    def _give_back(self) -> None:
        if hasattr(self._library, "malloc_trim"):
            self._library.malloc_trim(0)


def _c_library() -> Any:
    """Return the C library of this process, or something without functions where it has none of that kind."""
    import ctypes

    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):
        return object()

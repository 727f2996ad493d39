"""How much memory this machine has, and what has room in it."""

import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

SHARE: Final = 0.75
"""How much of the memory a model file may take; the rest is for its context, the system and the host."""


CONTAINER_LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where Linux tells how much memory a container has. https://docs.kernel.org/admin-guide/cgroup-v2.html"""


def has_room(size_bytes: int, limit: int = 0) -> bool | None:
    """Tell whether a model of that size fits into what models may have, or else this machine's memory.

    None where that is unknown.
    """
    if limit:
        return size_bytes <= limit
    total = total_memory()
    return None if total is None else size_bytes <= total * SHARE


@cache
def total_memory() -> int | None:
    """Return the size of the memory in bytes, if the system tells it: in a container, what that may have of it."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
    return min([installed, *filter(None, map(_limit, CONTAINER_LIMITS))])


def _limit(file: str) -> int | None:
    try:
        return int(Path(file).read_text("ascii"))
    except (ValueError, OSError):
        return None


def _windows_memory() -> int | None:
    """Ask for what has been installed, https://learn.microsoft.com/windows/win32/api/sysinfoapi/"""
    import ctypes

    kilobytes = ctypes.c_ulonglong()
    system: Any = ctypes
    told = system.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
    return kilobytes.value * 1024 if told else None

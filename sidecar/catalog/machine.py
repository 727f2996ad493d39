"""How much memory this machine has, and what has room in it."""

import os
import sys
from functools import cache
from typing import Any, Final

SHARE: Final = 0.75
"""How much of the memory a model file may take; the rest is for its context, the system and the host."""


def has_room(size_bytes: int) -> bool | None:
    """Tell whether a model of that size fits into this machine's memory; None where that is unknown."""
    total = total_memory()
    return None if total is None else size_bytes <= total * SHARE


@cache
def total_memory() -> int | None:
    """Return the size of the memory in bytes, if the system tells it."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def _windows_memory() -> int | None:
    """Ask for what has been installed, https://learn.microsoft.com/windows/win32/api/sysinfoapi/"""
    import ctypes

    kilobytes = ctypes.c_ulonglong()
    system: Any = ctypes
    told = system.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
    return kilobytes.value * 1024 if told else None

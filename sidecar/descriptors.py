"""Takes the standard descriptors out of everyone's reach. Imports nothing that could print."""

import os
import sys
from typing import NamedTuple


class Descriptors(NamedTuple):
    """Private duplicates of what the host gave us as 0, 1 and 2."""

    stdin: int
    stdout: int
    stderr: int


def claim() -> Descriptors:
    """Return private descriptors; from now on 0 reads nothing, and whatever is printed goes to stderr."""
    claimed = Descriptors(os.dup(0), os.dup(1), os.dup(2))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if sys.platform == "win32":
        _claim_windows(claimed)
    return claimed


def _claim_windows(claimed: Descriptors) -> None:
    """Make the pipes binary, and point the handles that native code asks for at the same places as 0 and 1."""
    import ctypes  # exists for this platform only
    import msvcrt

    for descriptor in (claimed.stdin, claimed.stdout):
        msvcrt.setmode(descriptor, os.O_BINARY)  # type: ignore[attr-defined,unused-ignore]
    for standard, descriptor in ((-10, 0), (-11, 1)):
        handle = msvcrt.get_osfhandle(descriptor)  # type: ignore[attr-defined,unused-ignore]
        ctypes.windll.kernel32.SetStdHandle(standard, handle)  # type: ignore[attr-defined,unused-ignore]

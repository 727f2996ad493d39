"""A lock between processes on an open file; the system frees it when its holder dies or closes the file."""

import sys
from typing import Final

if sys.platform == "win32":
    import msvcrt
    import os

    FAR: Final = 1 << 62
    """Beyond any data, since others may not even read what is locked."""

    def try_lock(descriptor: int) -> bool:
        """Take the lock, unless another process has it."""
        os.lseek(descriptor, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Take the lock, unless another process has it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

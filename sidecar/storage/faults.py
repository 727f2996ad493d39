"""What keeps the database from the disk, in words for people.

https://www.sqlite.org/rescode.html
"""

from errno import EDQUOT, ENOSPC
from typing import Final

from msgspec import Struct

PRIMARY: Final = 0xFF
"""The bits of an SQLite error code that tell its kind."""


class Fault(Struct, frozen=True):
    """Why nothing is written, what to do about it, and whether that may pass while the sidecar runs."""

    problem: str
    hint: str
    passing: bool = True


class NewerFileError(Exception):
    """A later version of the sidecar has written the file."""


HELD: Final = Fault("Another process holds the file.", "End what holds it; it is tried again every minute.")
FULL: Final = Fault("There is no room on the disk.", "Make room; it is tried again every minute.")
CLOSED: Final = Fault(
    "The data directory cannot be written.", "Make it writable, or start the sidecar with another --data-dir."
)
BROKEN: Final = Fault("The disk fails.", "Look after the disk; it is tried again every minute.")
DAMAGED: Final = Fault("The file is damaged.", "Move it out of the way, and the next start makes a new one.", False)
NEWER: Final = Fault("A later version has written the file.", "Update the app that has the older sidecar.", False)

BY_CODE: Final = {
    3: CLOSED,  # SQLITE_PERM
    5: HELD,  # SQLITE_BUSY
    6: HELD,  # SQLITE_LOCKED
    8: CLOSED,  # SQLITE_READONLY
    10: BROKEN,  # SQLITE_IOERR
    11: DAMAGED,  # SQLITE_CORRUPT
    13: FULL,  # SQLITE_FULL
    14: CLOSED,  # SQLITE_CANTOPEN
    15: HELD,  # SQLITE_PROTOCOL
    23: CLOSED,  # SQLITE_AUTH
    26: DAMAGED,  # SQLITE_NOTADB
}


def fault_of(error: Exception) -> Fault | None:
    """Return what is wrong with the file; None where the file is not to blame."""
    match error:
        case NewerFileError():
            return NEWER
        case OSError(errno=code):
            return FULL if code in (ENOSPC, EDQUOT) else CLOSED
        case _:
            return BY_CODE.get(getattr(error, "sqlite_errorcode", 0) & PRIMARY)

"""Newline-delimited input: pieces of bytes in, lines out, in bounded memory."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

BOM: Final = b"\xef\xbb\xbf"
REMEMBERED_BYTES: Final = 4096
"""How much of each end of an oversized line is kept, to find its id in."""
CRUMB_BYTES: Final = 1024
"""Pieces smaller than this are kept as one: a thing for each would be many times their size."""


class Oversized(Struct, frozen=True):
    """What is known of a line that was too long to keep."""

    head: bytes
    tail: bytes


class LineSplitter:
    """Splits at 0x0A only. Drops carriage returns at line ends, blank lines and one leading byte order mark."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes | bytearray] = []
        self._length = 0
        self._head: bytes | None = None  # of a line being discarded
        self._at_start = True

    def feed(self, data: bytes) -> Iterator[bytes | Oversized]:
        """Yield the lines that `data` completes; to be consumed before the next call."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._keep(data[start:end] if start or end + 1 < len(data) else data[:-1])
            start = end + 1
            if line := self._take():
                yield line
        if start < len(data):
            self._keep(data[start:] if start else data)

    def close(self) -> Iterator[bytes | Oversized]:
        """Yield the last line if it has no line feed."""
        if line := self._take():
            yield line

    def _keep(self, piece: bytes) -> None:
        if len(piece) >= CRUMB_BYTES:
            self._pieces.append(piece)
        elif self._pieces and isinstance(last := self._pieces[-1], bytearray):
            last += piece
        else:
            self._pieces.append(bytearray(piece) if self._pieces else piece)
        self._length += len(piece)
        if self._length > self._limit:
            self._shorten()

    def _shorten(self) -> None:
        """Forget all but the ends of the line so far."""
        known = b"".join(self._pieces)
        if self._head is None:
            self._head = known[:REMEMBERED_BYTES]
        self._pieces = [known[-REMEMBERED_BYTES:]]

    def _take(self) -> bytes | Oversized | None:
        line = bytes(self._pieces[0]) if len(self._pieces) == 1 else b"".join(self._pieces)
        head, self._head = self._head, None
        self._pieces, self._length = [], 0
        if head is not None:
            return Oversized(head, line)
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(BOM)
        if line.endswith(b"\r"):
            line = line[:-1]
        return line if line and not line.isspace() else None

"""The values of a GGUF header, one after the other. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"""

import struct
from collections.abc import Callable
from typing import BinaryIO, Final

MAX_HEADER_BYTES: Final = 256 << 20
"""Ten times the largest there are; what lies behind is not believed."""
MAX_ELEMENTS: Final = 1 << 21
"""Strings in all lists of a header together."""

SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


class DamagedError(Exception):
    """The bytes are not a GGUF header; the text completes "The model file … "."""


class Reader:
    """Reads little-endian values in order, from pieces of the file, never beyond its end."""

    __slots__ = ("_at", "_elements", "_file", "_held", "_left", "position")
    PIECE: Final = 1 << 20

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._held = b""
        self._at = 0
        self._left = size
        self._elements = MAX_ELEMENTS
        self.position = 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        self._claim(count)
        end = self._at + count
        if end > len(self._held):
            missing = end - len(self._held)
            self._held = self._held[self._at :] + self._file.read(max(missing, self.PIECE))
            self._at, end = 0, count
            if end > len(self._held):
                raise DamagedError("is incomplete: its header is cut short")
        piece = self._held[self._at : end]
        self._at = end
        return piece

    def skip(self, count: int) -> None:
        """Pass over the next `count` bytes without reading what lies beyond the held piece."""
        self._claim(count)
        held = len(self._held) - self._at
        if count > held:
            self._file.seek(count - held, 1)
            self._held, self._at = b"", 0
        else:
            self._at += count

    def number(self, code: str) -> int:
        """Return the next value of the `struct` type `code`."""
        reader, width = _NUMBERS[code]
        value: int = reader(self.take(width))[0]
        return value

    def text(self, longest: int) -> str:
        """Return the next string; one of more than `longest` bytes means a damaged file."""
        length = self.number("Q")
        if length > longest:
            raise DamagedError("is damaged: its header makes no sense")
        return self.take(length).decode("utf-8", "replace")

    def claim_elements(self, count: int) -> None:
        """Take note that `count` strings follow; too many of them would take for ever."""
        self._elements -= count
        if self._elements < 0:
            raise DamagedError("is damaged: its header makes no sense")

    def _claim(self, count: int) -> None:
        if count > self._left:
            raise DamagedError("is incomplete: its header is cut short")
        self._left -= count
        self.position += count
        if self.position > MAX_HEADER_BYTES:
            raise DamagedError("is damaged: its header makes no sense")


def _number_readers() -> dict[str, tuple[Callable[[bytes], tuple[int, ...]], int]]:
    formats = {code: struct.Struct("<" + code) for code in SCALARS.values()}
    return {code: (form.unpack, form.size) for code, form in formats.items()}


_NUMBERS: Final = _number_readers()

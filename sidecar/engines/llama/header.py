"""The values of a GGUF header, one after the other. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"""

import struct
from collections.abc import Callable
from typing import BinaryIO, Final

MAX_HEADER_BYTES: Final = 256 << 20
"""Ten times the largest there are; what lies behind is not believed."""
MAX_ELEMENTS: Final = 1 << 21
"""Strings in all lists of a header together."""

SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

BLOCKS: Final = {
    0: (1, 4),  # f32
    1: (1, 2),  # f16
    2: (32, 18),  # q4_0
    3: (32, 20),  # q4_1
    6: (32, 22),  # q5_0
    7: (32, 24),  # q5_1
    8: (32, 34),  # q8_0
    9: (32, 36),  # q8_1
    10: (256, 84),  # q2_K
    11: (256, 110),  # q3_K
    12: (256, 144),  # q4_K
    13: (256, 176),  # q5_K
    14: (256, 210),  # q6_K
    15: (256, 292),  # q8_K
    16: (256, 66),  # iq2_xxs
    17: (256, 74),  # iq2_xs
    18: (256, 98),  # iq3_xxs
    19: (256, 50),  # iq1_s
    20: (32, 18),  # iq4_nl
    21: (256, 110),  # iq3_s
    22: (256, 82),  # iq2_s
    23: (256, 136),  # iq4_xs
    24: (1, 1),  # i8
    25: (1, 2),  # i16
    26: (1, 4),  # i32
    27: (1, 8),  # i64
    28: (1, 8),  # f64
    29: (256, 56),  # iq1_m
    30: (1, 2),  # bf16
    34: (256, 54),  # tq1_0
    35: (256, 66),  # tq2_0
    39: (32, 17),  # mxfp4
    40: (64, 36),  # nvfp4
    41: (128, 18),  # q1_0
    42: (64, 18),  # q2_0
}
"""Elements and bytes of a block of each tensor type. Types of the future are not in it and not measured."""


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
        """Take note that `count` elements follow; too many of them would take for ever."""
        self._elements -= count
        if self._elements < 0:
            raise DamagedError("is damaged: its header makes no sense")

    def skip_texts(self, count: int) -> None:
        """Pass over the next `count` strings."""
        self.claim_elements(count)
        while count := self._skip_held_texts(count):
            self.skip(self.number("Q"))
            count -= 1

    def _skip_held_texts(self, count: int) -> int:
        """Pass over strings that are held whole, and return how many are left. Vocabularies have some 100,000."""
        held, at, unpack = self._held, self._at, _LENGTH.unpack_from
        last = len(held) - _LENGTH.size
        while count and at <= last:
            end = at + _LENGTH.size + unpack(held, at)[0]
            if end > len(held):
                break
            at, count = end, count - 1
        self._claim(at - self._at)
        self._at = at
        return count

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


_LENGTH: Final = struct.Struct("<Q")
_NUMBERS: Final = _number_readers()

"""JSON values, one a line. https://github.com/ndjson/ndjson-spec"""

from typing import Final

from sidecar.framing.frame import Frame, check_density
from sidecar.schema.errors import SidecarError

MAX_FRAME_BYTES: Final = 16 << 20
"""The longest line; also what may wait for the end of one."""

LF: Final = b"\n"


class Framer:
    """Cuts a stream at its line feeds. A carriage return in front of one belongs to it; empty lines are left out."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Return the lines that `data` completes."""
        whole, end, rest = data.rpartition(LF)
        if not end:
            self._hold(data)
            return []
        if self._held:
            whole = bytes(self._held) + whole
            self._held.clear()
        if rest:
            self._hold(rest)
        return _frames(whole)

    def close(self) -> list[Frame]:
        """Return the last line, where the stream ended without the line feed that completes it."""
        held = bytes(self._held)
        self._held.clear()
        return _frames(held)

    def _hold(self, data: bytes) -> None:
        self._held += data
        _check(len(self._held))


def _frames(lines: bytes) -> list[Frame]:
    check_density(lines)
    if len(lines) > MAX_FRAME_BYTES:
        _check(max(map(len, lines.split(LF))))
    return [Frame(line.rstrip(b"\r")) for line in lines.split(LF) if not line.isspace() and line]


def _check(size: int) -> None:
    if size > MAX_FRAME_BYTES:
        raise SidecarError("malformed_response", "The provider sent a line that is too long to be read.")

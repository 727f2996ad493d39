"""Server-sent events. https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from typing import Final

from sidecar.framing.frame import Frame
from sidecar.schema.errors import SidecarError

MAX_FRAME_BYTES: Final = 16 << 20
"""The longest event; also what may wait for the end of one."""

BOM: Final = b"\xef\xbb\xbf"
_IGNORED: Final = frozenset({b"", b"id", b"retry"})


class Framer:
    """Cuts an event stream at its blank lines; the lines may end in LF, CR or CRLF.

    A line that starts with `{` is no server-sent event but JSON sent in place of one, an error as a rule: it becomes a
    frame of its own, together with the lines that complete it.
    """

    __slots__ = ("_after_cr", "_begun", "_held")

    def __init__(self) -> None:
        self._held = bytearray()
        self._begun = False
        self._after_cr = False

    def feed(self, data: bytes) -> list[Frame]:
        """Return the events that `data` completes."""
        if not data:
            return []
        if self._after_cr or b"\r" in data:
            data = self._with_lf(data)
        held = self._held
        if b"\n\n" not in data and not (data[:1] == b"\n" and held.endswith(b"\n")):
            held += data
            _check(len(held))
            return []
        blocks = self._take(data).split(b"\n\n")
        held += blocks.pop()
        return _frames(blocks)

    def close(self) -> list[Frame]:
        """Return the last event, where the stream ended without the blank line that completes it."""
        return _frames([self._take(b"")])

    def _with_lf(self, data: bytes) -> bytes:
        rest = data[1:] if self._after_cr and data[:1] == b"\n" else data
        self._after_cr = data[-1:] == b"\r"
        return rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take(self, data: bytes) -> bytes:
        if self._held:
            self._held += data
            data = bytes(self._held)
            self._held.clear()
        if self._begun:
            return data
        self._begun = True
        return data.removeprefix(BOM)


def _check(size: int) -> None:
    if size > MAX_FRAME_BYTES:
        raise SidecarError("malformed_response", "The provider sent an event that is too large to be read.")


def _frames(blocks: list[bytes]) -> list[Frame]:
    """Return the events of `blocks`, each the lines between two blank lines."""
    frames: list[Frame] = []
    for block in blocks:
        if len(block) > MAX_FRAME_BYTES:
            _check(len(block))
        if block[:6] == b"data: " and b"\n" not in block:
            frames.append(Frame(block[6:]))
        elif block:
            frames += _lines(block)
    return frames


def _lines(block: bytes) -> list[Frame]:
    frames: list[Frame] = []
    event: str | None = None
    data: list[bytes] = []
    raw: list[bytes] = []
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
        elif name == b"event":
            event = value.removeprefix(b" ").decode(errors="replace") or None
        elif name in _IGNORED:
            continue
        elif not raw and line.startswith(b"{") and line.endswith(b"}"):
            frames.append(Frame(line))
        elif raw or line.startswith(b"{"):
            raw.append(line)
    if raw:
        frames.append(Frame(b"\n".join(raw)))
    if data:
        frames.append(Frame(b"\n".join(data), event))
    return frames

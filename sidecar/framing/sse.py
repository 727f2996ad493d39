"""Server-sent events. https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from typing import Final

from sidecar.framing.frame import Frame
from sidecar.schema.errors import SidecarError

MAX_FRAME_BYTES: Final = 16 << 20
"""The longest event; also what may wait for the end of one."""

BOM: Final = b"\xef\xbb\xbf"
CR: Final = 13
LF: Final = 10
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
        if self._after_cr or CR in data:
            data = self._with_lf(data)
        held = self._held
        # One past the last blank line; 1 where there is none, or where it begins in what is held.
        end = data.rfind(b"\n\n") + 2 if LF in data else 1
        if end == 1 and not (data[:1] == b"\n" and held.endswith(b"\n")):
            held += data
            _check(len(held))
            return []
        whole = data[:end]
        if held or not self._begun:
            whole = self._joined(whole)
        if end < len(data):
            held += data[end:]
            _check(len(held))
        return _frames(whole)

    def close(self) -> list[Frame]:
        """Return the last event, where the stream ended without the blank line that completes it."""
        return _frames(self._joined(b""))

    def _with_lf(self, data: bytes) -> bytes:
        rest = data[1:] if self._after_cr and data[:1] == b"\n" else data
        self._after_cr = data.endswith(b"\r") if data else self._after_cr
        return rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _joined(self, data: bytes) -> bytes:
        """Return `data` after what was held back, without the byte order mark that a stream may begin with."""
        self._held += data
        data = bytes(self._held)
        self._held.clear()
        if self._begun:
            return data
        self._begun = True
        return data.removeprefix(BOM)


def _frames(text: bytes) -> list[Frame]:
    """Return the events in whole blocks of lines."""
    if text[:6] == b"data: " and text[-2:] == b"\n\n":
        events = text[6:-2].split(b"\n\ndata: ")
        if text.count(b"\n") == 2 * len(events) and len(text) <= MAX_FRAME_BYTES:
            return list(map(Frame, events))
    frames: list[Frame] = []
    for block in text.split(b"\n\n"):
        _check(len(block))
        frames += _cut(block.split(b"\n"))
    return frames


def _check(size: int) -> None:
    if size > MAX_FRAME_BYTES:
        raise SidecarError("malformed_response", "The provider sent an event that is too large to be read.")


def _cut(lines: list[bytes]) -> list[Frame]:
    """Return the event that `lines` make up, after JSON among them that belongs to none."""
    frames: list[Frame] = []
    event: str | None = None
    data: list[bytes] = []
    raw: list[bytes] = []
    for line in lines:
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

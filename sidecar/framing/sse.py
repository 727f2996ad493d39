"""Server-sent events. https://html.spec.whatwg.org/multipage/server-sent-events.html"""

import re
from typing import Final

from sidecar.framing.frame import Frame, check_density
from sidecar.schema.errors import SidecarError

MAX_FRAME_BYTES: Final = 16 << 20
"""The longest event; also what may wait for the end of one."""

MAX_LINES: Final = 1 << 18
"""The most lines in one event."""

BOM: Final = b"\xef\xbb\xbf"
DONE: Final = b"[DONE]"
"""What some providers send as their last event."""

CR: Final = 13
LF: Final = 10
_IGNORED: Final = frozenset({b"", b"id", b"retry"})
_OPENING: Final = rb"\{|\[[ \t]*(?:\{|$)"
_STRING: Final = rb'"(?:[^"\\]|\\.)*+"?'
"""A string as far as it goes; there are no line ends in one."""


class Framer:
    """Cuts an event stream at its blank lines; the lines may end in LF, CR or CRLF.

    A line that starts with `{`, or with `[` before objects, is no server-sent event but JSON sent in place of one, an
    error as a rule: it becomes a frame of its own, together with the lines that complete it, blank ones among them.
    """

    __slots__ = ("_after_cr", "_begun", "_held", "_json")

    def __init__(self) -> None:
        self._held = bytearray()
        self._json = _JsonLines()
        self._begun = False
        self._after_cr = False

    def feed(self, data: bytes) -> list[Frame]:
        """Return the events that `data` completes."""
        if self._begun and not (self._held or self._after_cr or self._json.begun):
            events = _single(data) or _plain(data)
            if events:
                return events
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
        return self._frames(whole)

    def close(self) -> list[Frame]:
        """Return the last event, where the stream ended without the blank line that completes it."""
        return [*self._frames(self._joined(b"")), *self._json.end()]

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

    def _frames(self, text: bytes) -> list[Frame]:
        """Return the events in whole blocks of lines."""
        check_density(text)
        events = [] if self._json.begun else _plain(text)
        if events:
            return events
        frames: list[Frame] = []
        for block in filter(None, text.split(b"\n\n")):
            _check(len(block), block.count(b"\n"))
            frames += self._cut(block.split(b"\n"))
        return frames

    def _cut(self, lines: list[bytes]) -> list[Frame]:
        """Return the event that `lines` make up, after JSON among them that belongs to none."""
        frames: list[Frame] = []
        event: str | None = None
        data: list[bytes] = []
        for line in lines:
            name, _, value = line.partition(b":")
            if name == b"data":
                frames += self._json.end()
                data.append(value.removeprefix(b" "))
            elif name == b"event":
                frames += self._json.end()
                event = value.removeprefix(b" ").decode(errors="replace") or None
            elif name not in _IGNORED:
                frames += self._json.add(line)
        if data:
            frames.append(Frame(b"\n".join(data), event))
        return frames


def _single(text: bytes) -> list[Frame]:
    """Return the event of a text that is nothing but one of one line, named or not, or else nothing.

    Providers send one event at a time, so most texts are such.
    """
    if len(text) > MAX_FRAME_BYTES:
        return []
    if text[:6] != b"data: ":
        return _single_named(text)
    size, line_end = len(text), text.find(b"\n")
    if line_end == size - 2 and text[-1] == LF and CR not in text:
        return [Frame(text[6:-2])]
    returned = line_end == size - 3 and text[-4:] == b"\r\n\r\n" and text.find(b"\r") == size - 4
    return [Frame(text[6:-4])] if returned else []


def _single_named(text: bytes) -> list[Frame]:
    head, _, data = text.partition(b"\ndata: ")
    if head[:7] != b"event: " or data[-2:] != b"\n\n" or data.find(b"\n") != len(data) - 2:
        return []
    if CR in text or LF in head:
        return []
    return [Frame(data[:-2], head[7:].decode("utf-8", "replace") or None)]


def _plain(text: bytes) -> list[Frame]:
    """Return the events of a text that is nothing but whole ones of one line each, or else nothing."""
    if text[:7] == b"event: ":
        return _named(text)
    if text[:6] != b"data: " or len(text) > MAX_FRAME_BYTES:
        return []
    if text[-4:] == b"\r\n\r\n":
        events, returns = text[6:-4].split(b"\r\n\r\ndata: "), 2
    elif text[-2:] == b"\n\n":
        events, returns = text[6:-2].split(b"\n\ndata: "), 0
    else:
        return []
    if text.count(b"\n") != 2 * len(events) or text.count(b"\r") != returns * len(events):
        return []
    return list(map(Frame, events))


def _named(text: bytes) -> list[Frame]:
    """Return the events of a text that is nothing but whole ones of a name and one line each, or else nothing."""
    if text[-2:] != b"\n\n" or CR in text or len(text) > MAX_FRAME_BYTES:
        return []
    events = text[7:-2].split(b"\n\nevent: ")
    if text.count(b"\n") != 3 * len(events):
        return []
    frames: list[Frame] = []
    for event in events:
        name, found, data = event.partition(b"\ndata: ")
        if not found:
            return []
        frames.append(Frame(data, name.decode("utf-8", "replace") or None))
    return frames


class _JsonLines:
    """Puts JSON together that is spread over lines. `begun` is true while lines are missing."""

    __slots__ = ("_depth", "_lines", "_size", "begun")

    def __init__(self) -> None:
        self.begun = False
        self._lines: list[bytes] = []
        self._depth = 0
        self._size = 0

    def add(self, line: bytes) -> list[Frame]:
        """Return the JSON that `line` completes; what does not belong to any is ignored."""
        if not self._lines and not re.match(_OPENING, line):
            return []
        self.begun = True
        self._lines.append(line)
        self._size += len(line)
        _check(self._size, len(self._lines))
        bare = re.sub(_STRING, b"", line)
        self._depth += sum(map(bare.count, (b"{", b"["))) - sum(map(bare.count, (b"}", b"]")))
        return self.end() if self._depth <= 0 else []

    def end(self) -> list[Frame]:
        """Return what there is, complete or not."""
        lines, self._lines = self._lines, []
        self._depth, self._size, self.begun = 0, 0, False
        return [Frame(b"\n".join(lines))] if lines else []


def _check(size: int, lines: int = 0) -> None:
    if size > MAX_FRAME_BYTES or lines > MAX_LINES:
        raise SidecarError("malformed_response", "The provider sent an event that is too large to be read.")

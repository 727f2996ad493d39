"""Token bytes become text: whole characters only, up to a stop string."""

import codecs
from collections.abc import Iterable
from typing import Final

_utf8: Final = codecs.getincrementaldecoder("utf-8")


class TextStream:
    """Joins the bytes of tokens to text, holding back what may be the start of a character or of a stop string."""

    def __init__(self, stops: Iterable[str]) -> None:
        self._decoder = _utf8("replace")
        self._stops = tuple(stops)
        self._held = ""
        self.stopped = False

    def feed(self, data: bytes) -> str:
        """Return the text that may be shown now; `stopped` turns true when a stop string came, which is not shown."""
        text = self._held + self._decoder.decode(data)
        self._held = ""
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self.stopped = True
            return text[: min(found)]
        held = max((_overlap(text, stop) for stop in self._stops), default=0)
        shown = len(text) - held
        self._held = text[shown:]
        return text[:shown]

    def flush(self) -> str:
        """Return what was held back for a stop string that did not come; half a character is dropped."""
        text, self._held = self._held, ""
        return "" if self.stopped else text


def _overlap(text: str, stop: str) -> int:
    """Return the length of the longest end of `text` that begins `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)

"""Whose prompt is evaluated: left to itself, llama.cpp's server finishes a long one before it begins a short one."""

import threading
from collections.abc import Callable
from typing import Final, Literal

from sidecar.engines.llama.runtimes import BATCH
from sidecar.engines.llama.runtimes.places import WAIT_S

SHORT: Final = 4 * BATCH

Kind = Literal["short", "long"]


class Readers:
    """Lets long prompts in one by one, and have them give way to short ones, which come in at once."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.reading: dict[Kind, int] = {"short": 0, "long": 0}

    def join(self, prompt_tokens: int) -> "Reader":
        """Return the reader of a prompt."""
        kind: Kind = "short" if prompt_tokens <= SHORT else "long"
        return Reader(self, kind)


class Reader:
    """One whose prompt is to be evaluated: `begin`, do it, and `end`; again where it had to give way."""

    def __init__(self, readers: Readers, kind: Kind) -> None:
        self._readers = readers
        self._kind: Kind = kind
        self._reading = False

    def begin(self, cancelled: Callable[[], bool]) -> bool:
        """Wait for the way to be free; returns False when cancelled before."""
        with self._readers.changed:
            while self._kind == "long" and any(self._readers.reading.values()):
                if cancelled():
                    return False
                self._readers.changed.wait(WAIT_S)
            self._count(1)
        return True

    def gives_way(self) -> bool:
        """Tell whether to stop for now, because short prompts came in behind this one."""
        return self._reading and self._kind == "long" and self._readers.reading["short"] > 0

    def end(self) -> None:
        """Let others in; once is enough."""
        with self._readers.changed:
            if self._reading:
                self._count(-1)
                self._readers.changed.notify_all()

    def _count(self, by: int) -> None:
        self._reading = by > 0
        self._readers.reading[self._kind] += by

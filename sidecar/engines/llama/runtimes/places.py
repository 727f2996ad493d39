"""The places in a context that conversations share: llama.cpp ends all of them when there is none left for one."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Self

WAIT_S: Final = 0.02
"""How often one that waits looks whether it was cancelled."""

STEP: Final = 64


class Places:
    """Hands out the places of a context, a token each, to up to `parallel` conversations, in the order they come."""

    def __init__(self, context_size: int, parallel: int) -> None:
        self.context_size = context_size
        self.parallel = parallel
        self._turns, self._free = parallel, context_size
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @property
    def answer(self) -> int:
        """How many places a conversation gets for its answer, before it is known how long that will be."""
        return self.context_size // self.parallel // 2

    def take(self, wanted: int, cancelled: Callable[[], bool]) -> "Held | None":
        """Wait for a turn and for so many places, or all there are; returns None when cancelled before."""
        wanted, ticket = min(wanted, self.context_size), object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or not self._turns or self._free < wanted:
                    if cancelled():
                        return None
                    self._changed.wait(WAIT_S)
                self._turns -= 1
                self._free -= wanted
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        return Held(self, wanted)

    def more(self, wanted: int) -> int:
        """Take up to so many of the free places; returns how many."""
        with self._changed:
            given = min(wanted, self._free)
            self._free -= given
        return given

    def give_back(self, places: int) -> None:
        """End a turn."""
        with self._changed:
            self._turns += 1
            self._free += places
            self._changed.notify_all()


class Held:
    """What one conversation has. Entered for as long as it runs."""

    def __init__(self, places: Places, size: int) -> None:
        self._places = places
        self._size = size
        # Who counts the tokens is a few behind the engine, which does not wait for it.
        self._margin = min(STEP, places.context_size // places.parallel // 8)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._places.give_back(self._size)

    def enough(self, used: int) -> bool:
        """Return whether there is a place for the next token, and take more in time.

        The last place of all is the engine's to watch.
        """
        whole, needed = self._places.context_size, used + self._margin
        if needed >= self._size:
            self._size += self._places.more(min(needed + STEP, whole) - self._size)
        return needed < self._size or self._size == whole

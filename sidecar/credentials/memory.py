"""Keys in memory: those being written to the keychain, and those read from it."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from sidecar.credentials.binding import Binding
from sidecar.schema.secret import Secret

MAX_KEYS: Final = 256
MAX_SEEN: Final = 1024

SHORTEST_REDACTED: Final = 8
"""Shorter keys, such as the "none" that local servers are given, are words that logs need."""


class Slot:
    """A key, or `None` for one that was deleted. It is `settled` when the keychain says the same.

    `save` is the number of the save that made it.
    """

    __slots__ = ("save", "secret", "settled")

    def __init__(self, secret: Secret | None, save: int, *, settled: bool = False) -> None:
        self.secret = secret
        self.save = save
        self.settled = settled


class Memory:
    """The slots by what they are for, the oldest settled ones given up first; and all keys seen, for redaction."""

    def __init__(self) -> None:
        self._slots: dict[Binding, Slot] = {}
        self._seen: dict[str, None] = {}

    def find(self, binding: Binding) -> Slot | None:
        return self._slots.get(binding)

    def put(self, binding: Binding, slot: Slot) -> None:
        """Put the slot in place of any other."""
        self._slots.pop(binding, None)
        self._slots[binding] = slot
        if slot.secret is not None:
            self.see(slot.secret)
        self._make_room()

    def drop(self, binding: Binding, slot: Slot) -> None:
        """Take the slot away, unless another one has taken its place."""
        if self._slots.get(binding) is slot:
            del self._slots[binding]

    def settle(self, binding: Binding, slot: Slot) -> None:
        """Take note that the keychain now says what the slot says."""
        slot.settled = True
        if slot.secret is None:
            self.drop(binding, slot)
        self._make_room()

    def bindings(self) -> Iterator[tuple[Binding, Slot]]:
        return iter(tuple(self._slots.items()))

    def clear(self) -> None:
        """Take all settled slots away."""
        self._slots = {binding: slot for binding, slot in self._slots.items() if not slot.settled}

    def see(self, secret: Secret) -> None:
        """Remember a key's value for redaction."""
        value = secret.reveal()
        if len(value) >= SHORTEST_REDACTED:
            self._seen.pop(value, None)
            self._seen[value] = None
            if len(self._seen) > MAX_SEEN:
                del self._seen[next(iter(self._seen))]

    def seen(self) -> tuple[str, ...]:
        return tuple(self._seen)

    def _make_room(self) -> None:
        excess = len(self._slots) - MAX_KEYS
        if excess > 0:
            settled = (binding for binding, slot in self._slots.items() if slot.settled)
            for binding in tuple(islice(settled, excess)):
                del self._slots[binding]

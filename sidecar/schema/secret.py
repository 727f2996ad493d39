"""A value that must not be shown."""

from typing import Any, Final

MASK_SHOWN: Final = 4


class Secret:
    """An API key in memory: its `repr` and `str` are `***`, and it can be neither encoded nor pickled."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself, for the one header that it belongs in."""
        return self._value

    def masked(self) -> str:
        """Return what a person may see of the key: its vendor prefix and its last characters."""
        value = self._value
        if len(value) < 4 * MASK_SHOWN:
            return "…"
        prefix = "-".join(value.split("-")[:-1][:2])
        shown = f"{prefix}-" if prefix and len(prefix) <= 2 * MASK_SHOWN else ""
        return f"{shown}…{value[-MASK_SHOWN:]}"

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a secret cannot be pickled")


def decode_hook(kind: type, value: object) -> object:
    """Make a `Secret` of a string, for `msgspec` decoders of types that hold one."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError("Expected `str`")

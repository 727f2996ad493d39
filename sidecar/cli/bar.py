"""A bar that fills."""

from typing import Final

from msgspec import Struct


class Marks(Struct, frozen=True):
    """What the two ends of a bar are drawn with."""

    done: str
    left: str

    def drawn(self, share: float, columns: int) -> tuple[str, str]:
        """Return the part of `columns` that is done, 0 to 1 of it, and the part that is left."""
        done = int(min(1.0, max(0.0, share)) * columns)
        return self.done * done, self.left * (columns - done)


LINES: Final = Marks("━", "─")
ASCII: Final = Marks("#", "-")


def marks(encoding: str | None) -> Marks:
    """Return what a stream with that encoding can show."""
    try:
        (LINES.done + LINES.left).encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return ASCII
    return LINES

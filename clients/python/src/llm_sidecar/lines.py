"""Lines of bytes, which end at 0x0A and nowhere else."""

from collections.abc import Iterator
from typing import Final

LINE_FEED: Final = b"\n"


class LineTooLong(Exception):  # noqa: N818 - what happened
    """A line has more bytes than it may have."""


class Lines:
    """Joins pieces of bytes, and splits them; no line may be longer than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that `data` completes, without their line feeds; raise `LineTooLong` in place of the next."""
        *ends, rest = data.split(LINE_FEED)
        for end in ends:
            self._keep(end)
            yield self._taken()
        self._keep(rest)

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise LineTooLong
        if piece:
            self._pieces.append(piece)

    def _taken(self) -> bytes:
        line = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return line


class CutLines:
    """Splits text that people read: lines are decoded, and cut where they are longer than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._cutting = False

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that `data` completes; of a longer one, its start, as soon as it is too long."""
        *ends, rest = (self._rest + data).split(LINE_FEED)
        texts = [text for end in ends for text in self._complete(end)]
        if len(rest) > self._limit and not self._cutting:
            texts.append(_text(rest[: self._limit]))
            self._cutting = True
        self._rest = b"" if self._cutting else rest
        return texts

    def end(self) -> list[str]:
        """Return what stands after the last line feed, if anything does."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []

    def _complete(self, line: bytes) -> list[str]:
        was_cut, self._cutting = self._cutting, False
        return [] if was_cut else [_text(line[: self._limit])]


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode(errors="replace")

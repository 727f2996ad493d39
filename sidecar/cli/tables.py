"""Tables of text."""

import unicodedata

WIDE = frozenset("WF")
"""The East Asian widths of characters that take two columns."""

INDENT = "  "


def aligned(rows: list[list[str]], left: int) -> list[str]:
    """Return lines with the cells one below the other: the first `left` begin, the others end in one place."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [_line(row, widths, left) for row in rows]


def fitted(rows: list[list[str]], left: int, columns: int | None) -> list[str]:
    """Return `aligned` lines; where they are too long for a terminal, what follows the first cell is below it."""
    lines = aligned(rows, left)
    if columns is None or max(map(_width, lines)) <= columns:
        return lines
    below = aligned([row[1:] for row in rows], left - 1)
    return [line for row, rest in zip(rows, below, strict=True) for line in (row[0], INDENT + rest)]


def _line(row: list[str], widths: list[int], left: int) -> str:
    pads = [" " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
    names = [cell + pad for cell, pad in zip(row[:left], pads[:left], strict=True)]
    numbers = [pad + cell for cell, pad in zip(row[left:], pads[left:], strict=True)]
    return "  ".join([*names, *numbers]).rstrip()


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in WIDE)
        for character in text
    )

"""JSON that arrives in pieces: where a value ends, and what a string says. https://www.rfc-editor.org/rfc/rfc8259"""

from typing import Final, Literal

WHITESPACE: Final = frozenset(" \t\n\r")
ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
UNICODE_DIGITS: Final = 4
UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"

Place = Literal["inside", "last", "behind"]


class Extent:
    """Finds the end of one value, character by character, from its first on."""

    __slots__ = ("_depth", "_escaped", "_in_string")

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def take(self, char: str) -> Place:
        """Tell whether `char` is inside the value, its last one, or already behind a number or a word."""
        if self._in_string:
            ends = char == '"' and not self._escaped
            self._escaped = char == "\\" and not self._escaped
            self._in_string = not ends
            return self._last() if ends else "inside"
        if not self._depth and (char in WHITESPACE or char in ",]}"):
            return "behind"
        self._in_string = char == '"'
        self._depth += (char in "{[") - (char in "]}")
        return self._last() if char in "]}" else "inside"

    def _last(self) -> Place:
        return "inside" if self._depth else "last"


class Unescaped:
    """Reads a string, character by character, its quotes included. What comes out is whole characters."""

    __slots__ = ("_escape", "_high")

    def __init__(self) -> None:
        self._escape = ""
        self._high = ""

    def take(self, char: str) -> str:
        """Return what is certain to be in the string by now."""
        if self._escape:
            self._escape += char
            return self._unescaped()
        if char == "\\":
            self._escape = char
            return ""
        return self._alone() + ("" if char == '"' else char)

    def _unescaped(self) -> str:
        kind, digits = self._escape[1], self._escape[2:]
        if kind != "u":
            self._escape = ""
            return self._alone() + ESCAPES.get(kind, kind)
        if len(digits) < UNICODE_DIGITS:
            return ""
        self._escape = ""
        return self._unit(chr(int(digits, 16)))

    def _unit(self, unit: str) -> str:
        """Take an escaped character, or half of one."""
        if "\ud800" <= unit <= "\udbff":
            before, self._high = self._alone(), unit
            return before
        if not "\udc00" <= unit <= "\udfff":
            return self._alone() + unit
        high, self._high = self._high, ""
        return (high + unit).encode("utf-16-le", "surrogatepass").decode("utf-16-le") if high else UNKNOWN

    def _alone(self) -> str:
        """Return what stands for half a character whose other half did not come."""
        high, self._high = self._high, ""
        return UNKNOWN if high else ""

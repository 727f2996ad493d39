"""Marks up to which a prompt is kept. https://platform.claude.com/docs/en/build-with-claude/prompt-caching"""

from typing import Any, Final

from sidecar.dialects.report import Report
from sidecar.schema.chat import CacheHint

MAX_MARKS: Final = 4
MARK: Final = "cache_control"

Wire = dict[str, Any]


class Marks:
    """The marks of one request, in the order of the prompt: tools, instructions, turns."""

    def __init__(self, report: Report, *, taken: bool) -> None:
        self._report = report
        self._taken = taken
        self._marked: list[Wire] = []

    def mark(self, wire: Wire, hint: CacheHint | None) -> Wire:
        """Return `wire`, marked where a hint asks for that."""
        if hint is None:
            return wire
        if not self._taken:
            self._report.unsupported("cache", "The provider takes no cache hints")
            return wire
        wire[MARK] = {"type": "ephemeral", "ttl": hint.ttl}
        self._marked.append(wire)
        return wire

    def settle(self) -> None:
        """Take off the marks that are too many, the first ones first, and let none outlive one before it.

        What is kept for an hour includes what comes before, so that an earlier mark costs no more if it lasts as long.
        """
        surplus = self._marked[:-MAX_MARKS]
        if surplus:
            self._report.unsupported("cache", f"There may be {MAX_MARKS} cache hints", "only the last ones were sent")
        for wire in surplus:
            del wire[MARK]
        ttl = "5m"
        for wire in reversed(self._marked[-MAX_MARKS:]):
            ttl = wire[MARK]["ttl"] = "1h" if ttl == "1h" else wire[MARK]["ttl"]

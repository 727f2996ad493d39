"""Neighbouring deltas of one part, joined; pure."""

from collections.abc import Iterator

import msgspec

from sidecar.schema.events import Delta, PartDelta, ToolCallDelta, UsageDelta


def merged(deltas: list[Delta]) -> Iterator[Delta]:
    """Join neighbouring deltas of one part into one."""
    start = 0
    while start < len(deltas):
        first = deltas[start]
        end = start + 1
        while end < len(deltas) and _continues(first, deltas[end]):
            end += 1
        yield first if end == start + 1 else _joined(deltas[start:end])
        start = end


def _continues(first: Delta, later: Delta) -> bool:
    if type(first) is not type(later):
        return False
    if isinstance(first, UsageDelta):
        return True
    if isinstance(first, PartDelta) or isinstance(later, PartDelta | UsageDelta) or first.index != later.index:
        return False
    return not (isinstance(later, ToolCallDelta) and later.id is not None)


def _joined(run: list[Delta]) -> Delta:
    first = run[0]
    if isinstance(first, UsageDelta):
        return run[-1]
    if isinstance(first, ToolCallDelta):
        return msgspec.structs.replace(first, arguments="".join(d.arguments for d in run))  # type: ignore[union-attr]
    return msgspec.structs.replace(first, text="".join(d.text for d in run))  # type: ignore[union-attr]

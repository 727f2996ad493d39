"""Neighbouring deltas of one part, joined; pure."""

from typing import Final, TypeVar

from msgspec.structs import replace

from sidecar.schema.events import ReasoningDelta, RefusalDelta, StreamEvent, TextDelta, ToolCallDelta, UsageDelta

Event = TypeVar("Event", bound=StreamEvent)

Growing = TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta

GROWS: Final[dict[type, str]] = {
    TextDelta: "text",
    ReasoningDelta: "text",
    RefusalDelta: "text",
    ToolCallDelta: "arguments",
}
"""What of a delta is continued by the next one."""


def merged(events: list[Event]) -> list[Event]:
    """Join neighbouring deltas of one part into one; of token counts the latest stays."""
    if len(events) < 2:  # noqa: PLR2004 - most come alone
        return events
    found: list[Event] = []
    head, rest = events[0], list[str]()
    for event in events[1:]:
        kind = type(event)
        if kind is type(head) and kind in GROWS and event.index == head.index and not _opens(event):  # type: ignore[union-attr]
            rest.append(event.arguments if kind is ToolCallDelta else event.text)  # type: ignore[union-attr]
            continue
        if kind is not UsageDelta or type(head) is not UsageDelta:
            found.append(_joined(head, rest))
        head, rest = event, []
    found.append(_joined(head, rest))
    return found


def _opens(event: StreamEvent) -> bool:
    return type(event) is ToolCallDelta and event.id is not None


def _joined(head: Event, rest: list[str]) -> Event:
    if not rest:
        return head
    field = GROWS[type(head)]
    return replace(head, **{field: getattr(head, field) + "".join(rest)})

"""Conversations in the order that a server demands."""

from collections.abc import Iterator

from msgspec.structs import replace

from sidecar.dialects.history import Turn, answered, script
from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.report import Report
from sidecar.schema.chat import Message, Part, Text, ToolCall, ToolResult


def ordered(messages: list[Message], quirks: ChatQuirks, report: Report) -> list[Message]:
    """Return the conversation with every tool call answered, and with the speakers in turn where that is demanded."""
    told = messages if quirks.tools else [_without_calls(message) for message in messages]
    if quirks.order == "free":
        return answered(told, report)
    said = script(told, report)
    first = [Message("system", list[Part](said.instructions))] if said.instructions else []
    return [*first, *(message for turn in said.turns for message in _messages(turn))]


def _messages(turn: Turn) -> Iterator[Message]:
    """Yield the results of tools apart from what the user says besides."""
    if turn.role == "assistant":
        yield Message("assistant", turn.parts)
        return
    results = [part for part in turn.parts if isinstance(part, ToolResult)]
    if results:
        yield Message("tool", list[Part](results))
    rest: list[Part] = [part for part in turn.parts if not isinstance(part, ToolResult)]
    if rest:
        yield Message("user", rest)


def _without_calls(message: Message) -> Message:
    """Return a message in which the calls of tools are words; their results then become words, too."""
    if isinstance(message.content, str) or message.role != "assistant":
        return message
    return replace(message, content=[_told(part) for part in message.content])


def _told(part: Part) -> Part:
    return Text(f"(Calls the tool {part.name} with {part.arguments})") if isinstance(part, ToolCall) else part

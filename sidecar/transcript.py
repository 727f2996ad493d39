"""What an answer adds up to: stream events in, the message out."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict, replace

from sidecar.schema.chat import (
    FinishReason,
    Message,
    Origin,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Warning,
)
from sidecar.schema.events import (
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    Status,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    UsageDelta,
)
from sidecar.schema.usage import Usage

BYTES_PER_TOKEN: Final = 4
"""A rough average over languages and tokenizers, for estimates that are marked as such."""


class _Growing(Struct):
    """A part under construction."""

    kind: type[TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta]
    pieces: list[str]
    id: str = ""
    name: str = ""

    def part(self) -> Part:
        text = "".join(self.pieces)
        if self.kind is TextDelta:
            return Text(text)
        if self.kind is ReasoningDelta:
            return Reasoning(text)
        if self.kind is RefusalDelta:
            return Refusal(text)
        return ToolCall(self.id, self.name, text)


class Transcript:
    """Collects the events of one answer. `started` tells whether the client has seen any content."""

    __slots__ = ("finish", "parts", "usage", "warnings")

    def __init__(self) -> None:
        self.parts: dict[int, _Growing | Part] = {}
        self.finish: FinishReason | None = None
        self.usage: Usage | None = None
        self.warnings: list[Warning] = []

    @property
    def started(self) -> bool:
        return bool(self.parts)

    def add(self, event: StreamEvent) -> None:
        kind = type(event)
        if kind is TextDelta or kind is ReasoningDelta or kind is RefusalDelta:
            self._grow(event.index, kind).pieces.append(event.text)  # type: ignore[union-attr]
        elif kind is ToolCallDelta:
            self._add_tool_call(event)  # type: ignore[arg-type]
        elif isinstance(event, PartDelta):
            self.parts[event.index] = event.part
        elif isinstance(event, UsageDelta):
            self.usage = Usage(**asdict(event))
        elif isinstance(event, FinishReason):
            self.finish = event
        elif isinstance(event, Warning):
            if event not in self.warnings:
                self.warnings.append(event)
        else:
            assert isinstance(event, Status)

    def _grow(self, index: int, kind: type) -> _Growing:
        part = self.parts.get(index)
        if type(part) is not _Growing:
            part = self.parts[index] = _Growing(kind, [])
        return part

    def _add_tool_call(self, event: ToolCallDelta) -> None:
        call = self._grow(event.index, ToolCallDelta)
        if event.id is not None:
            call.id, call.name = event.id, event.name or ""
        call.pieces.append(event.arguments)

    def message(self, origin: Origin | None = None) -> Message:
        """Return the assistant's message as far as it came, its parts in the order of their indexes."""
        grown = (self.parts[index] for index in sorted(self.parts))
        parts = [part.part() if isinstance(part, _Growing) else part for part in grown]
        return Message("assistant", parts, origin)

    def settled_usage(self, messages: Sequence[Message]) -> Usage:
        """Return the reported usage; what of it is missing is estimated from the lengths of question and answer."""
        usage = self.usage or Usage()
        if usage.input_tokens is not None and usage.output_tokens is not None:
            return usage
        asked = _tokens(sum(_length(message) for message in messages))
        said = _tokens(_length(self.message()))
        return replace(
            usage,
            input_tokens=asked if usage.input_tokens is None else usage.input_tokens,
            output_tokens=said if usage.output_tokens is None else usage.output_tokens,
            source="estimated",
        )


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has."""
    return _tokens(len(text.encode()))


def _tokens(length: int) -> int:
    return -(-length // BYTES_PER_TOKEN)


def _length(message: Message) -> int:
    """Return how many bytes of text a message holds; files are not counted."""
    if isinstance(message.content, str):
        return len(message.content.encode())
    return sum(len(_words(part).encode()) for part in message.content)


def _words(part: Part) -> str:
    if isinstance(part, Text | Reasoning | Refusal):
        return part.text
    if isinstance(part, ToolCall):
        return part.name + part.arguments
    if isinstance(part, ToolResult):
        return part.content if isinstance(part.content, str) else "".join(_words(inner) for inner in part.content)
    return ""

"""One answer put together from its blocks, its token counts and the reason why it ended."""

from itertools import count
from typing import Final

from msgspec import Raw
from msgspec.structs import replace

from sidecar.dialects.anthropic_messages.blocks import Call, Growing, Start, block_of
from sidecar.dialects.anthropic_messages.usage import merge, normalise
from sidecar.dialects.anthropic_messages.wire import Ending, StopDetails, WireUsage
from sidecar.schema.chat import FinishReason, Origin, Reason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import RefusalDelta, StreamEvent, UsageDelta

FINISH_REASONS: Final[dict[str, Reason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "refusal",
}
DECLINED: Final = "refusal"


class Assembly:
    """What came of an answer so far. `blocks` are those under construction, by their numbers in the stream."""

    __slots__ = ("_begun", "_called", "_next_index", "_origin", "_stop_reason", "_usage", "blocks")

    def __init__(self, origin: Origin) -> None:
        self.blocks: dict[int | None, Growing] = {}
        self._origin = origin
        self._next_index = count().__next__
        self._begun = False
        self._called = False
        self._stop_reason: str | None = None
        self._usage = WireUsage()

    @property
    def settled(self) -> bool:
        """Whether the answer is known to be complete."""
        return self._stop_reason is not None

    def begin(self, number: int | None, raw: Raw) -> list[StreamEvent]:
        """Open a block; one of the same number that is open is complete then."""
        events = self.complete(number)
        block = block_of(Start(raw, self._next_index, self._origin))
        self._begun = True
        self._called = self._called or isinstance(block, Call)
        self.blocks[number] = block
        return [*events, *block.begin()]

    def complete(self, number: int | None) -> list[StreamEvent]:
        """Close a block."""
        block = self.blocks.pop(number, None)
        return [] if block is None else block.end()

    def ask(self, usage: WireUsage) -> list[StreamEvent]:
        """Count the question. Of the answer no more than its first tokens are counted by then."""
        self._usage = merge(self._usage, usage)
        counted = replace(normalise(self._usage), output_tokens=None, reasoning_tokens=None)
        return [] if counted == UsageDelta() else [counted]

    def settle(self, ending: Ending, usage: WireUsage | None) -> list[StreamEvent]:
        """Take in why the answer ended, and the final counts."""
        events: list[StreamEvent] = []
        if ending.stop_reason:
            events = self._complete_all()
            declined = ending.stop_reason == DECLINED and not self.settled
            words = _explanation(ending.stop_details) if declined else ""
            events += [RefusalDelta(self._next_index(), words)] if words else []
            self._stop_reason = ending.stop_reason
        if usage is not None:
            self._usage = merge(self._usage, usage)
            events.append(normalise(self._usage))
        return events

    def end(self) -> list[StreamEvent]:
        """Close what is open, and say why the answer ended."""
        if not self._begun and not self.settled:
            raise SidecarError("stream_interrupted", "The answer ended before it began.")
        return [*self._complete_all(), FinishReason(self._reason(), self._stop_reason)]

    def _complete_all(self) -> list[StreamEvent]:
        return [event for number in list(self.blocks) for event in self.complete(number)]

    def _reason(self) -> Reason:
        reason = FINISH_REASONS.get(self._stop_reason or "", "other")
        return "tool_calls" if self._called and (reason == "stop" or not self.settled) else reason


def _explanation(details: StopDetails | None) -> str:
    """Return why the model declined, as far as it says so."""
    if details is None:
        return ""
    category = f"({details.category})" if details.category else ""
    return " ".join(filter(None, (details.explanation, category)))

"""What is done to an answer that its provider could not be asked for: stop sequences, JSON in place of a tool call."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sidecar.schema.chat import FinishReason, StructuredOutput, Text, ToolCall
from sidecar.schema.events import PartDelta, Status, StreamEvent, TextDelta, ToolCallDelta, UsageDelta

FENCE: Final = "```"
FENCE_END: Final = f"\n{FENCE}"
PASSING: Final = (UsageDelta, Status)
"""Events that say nothing of the words around them."""


class Shaping(Struct, frozen=True, kw_only=True):
    """What remains to be done.

    `stop` are sequences at which to cut, `tool` the name of a tool whose call is the answer. `fenced` answers may come
    in a block of Markdown, which is taken off. `structured` says how JSON was asked for.
    """

    stop: tuple[str, ...] = ()
    tool: str | None = None
    fenced: bool = False
    structured: StructuredOutput | None = None


AS_IT_COMES: Final = Shaping()


class Shaper:
    """Shapes the events of one answer. `stopped` turns true when nothing that follows belongs to it."""

    def __init__(self, shaping: Shaping) -> None:
        self.stopped = False
        self._tool = shaping.tool
        self._tool_index: int | None = None
        self._cutter = _Cutter(shaping)
        self._index = 0

    def shape(self, events: Iterable[StreamEvent]) -> Iterator[StreamEvent]:
        """Yield what becomes of `events`."""
        for event in events:
            if self.stopped:
                return
            yield from self._shape(event)

    def rest(self) -> Iterator[StreamEvent]:
        """Yield what was held back of an answer that broke off."""
        if not self.stopped:
            yield from self._say(self._cutter.rest())

    def _shape(self, event: StreamEvent) -> Iterator[StreamEvent]:
        if isinstance(event, ToolCallDelta) and self._is_answer(event):
            event = TextDelta(event.index, event.arguments)
        if isinstance(event, TextDelta):
            yield from self._write(event)
        elif isinstance(event, PartDelta):
            yield from self._part(event)
        elif isinstance(event, PASSING):
            yield event
        else:
            yield from self._say(self._cutter.rest())
            if isinstance(event, FinishReason) and self._tool_index is not None and event.reason == "tool_calls":
                event = FinishReason("stop", event.raw)
            yield event

    def _is_answer(self, event: ToolCallDelta) -> bool:
        if self._tool is not None and event.name == self._tool:
            self._tool_index = event.index
        return event.index == self._tool_index

    def _write(self, event: TextDelta) -> Iterator[StreamEvent]:
        if event.index != self._index:
            yield from self._say(self._cutter.rest())
            self._index = event.index
            self._cutter.begin()
        yield from self._say(self._cutter.feed(event.text))
        if self._cutter.found:
            self.stopped = True
            yield FinishReason("stop")

    def _part(self, event: PartDelta) -> Iterator[StreamEvent]:
        if isinstance(event.part, ToolCall) and event.index == self._tool_index:
            return
        if isinstance(event.part, Text) and event.index == self._index and self._cutter.busy:
            yield from self._say(self._cutter.rest())
            event = PartDelta(event.index, replace(event.part, text=self._cutter.written))
        yield event

    def _say(self, text: str) -> Iterator[StreamEvent]:
        if text:
            yield TextDelta(self._index, text)


class _Cutter:
    """Passes text on up to a stop sequence, holding back what may be the beginning of one."""

    def __init__(self, shaping: Shaping) -> None:
        self.found = False
        self._stop = shaping.stop
        self._fence: str | None = "" if shaping.fenced else None
        self._in_fence = False
        self._closed = False
        self._held = ""
        self._written: list[str] = []
        self.busy = bool(shaping.stop) or shaping.fenced

    @property
    def written(self) -> str:
        """What was passed on of the current part."""
        return "".join(self._written)

    def begin(self) -> None:
        """Begin another part."""
        self._written.clear()

    def feed(self, text: str) -> str:
        """Return what is certain to be part of the answer."""
        if self._closed:
            return ""
        held = self._held + self._opened(text)
        cuts = [at for at in map(held.find, self._stop) if at >= 0]
        if cuts:
            self.found, self._held = True, ""
            return self._pass(held[: min(cuts)])
        if self._in_fence and FENCE_END in held:
            self._closed, self._held = True, ""
            return self._pass(held.partition(FENCE_END)[0].rstrip())
        certain = len(held) - self._doubtful(held)
        self._held = held[certain:]
        return self._pass(held[:certain])

    def rest(self) -> str:
        """Return what was held back, now that the text has ended."""
        held, self._held = self._held, ""
        if self._fence:
            held, self._fence = self._fence + held, None
        if self._in_fence:
            held = held.rstrip().removesuffix(FENCE).rstrip()
        return self._pass(held)

    def _pass(self, text: str) -> str:
        if self.busy and text:
            self._written.append(text)
        return text

    def _opened(self, text: str) -> str:
        """Return `text` without the line that opens a fence, if it begins with one; keep it while that is unclear."""
        if self._fence is None:
            return text
        begun = (self._fence + text).lstrip()
        if begun[:3] != FENCE[: len(begun[:3])]:
            self._fence = None
            return begun
        if "\n" not in begun:
            self._fence = begun
            return ""
        self._fence, self._in_fence = None, True
        return begun.partition("\n")[2]

    def _doubtful(self, text: str) -> int:
        """Return how many characters at the end may begin a stop sequence or the end of the fence."""
        fence = len(text) - len(text.rstrip().rstrip("`").rstrip()) if self._in_fence else 0
        longest = max((len(stop) for stop in self._stop), default=0)
        sizes = range(min(longest - 1, len(text)), 0, -1)
        begun = next((size for size in sizes if any(stop.startswith(text[-size:]) for stop in self._stop)), 0)
        return max(fence, begun)

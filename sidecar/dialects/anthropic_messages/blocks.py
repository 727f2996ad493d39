"""Blocks of content under construction: what each kind turns into, as it grows and when it is complete."""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec
from msgspec import Raw

from sidecar.dialects.anthropic_messages.citations import citation_of
from sidecar.dialects.anthropic_messages.reading import read, text_of
from sidecar.dialects.anthropic_messages.wire import Block, Delta, RareDelta, WireCitation
from sidecar.dialects.tool_arguments import is_object
from sidecar.schema.chat import Custom, Opaque, Origin, Part, Reasoning, Text, ToolCall
from sidecar.schema.events import PartDelta, ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta

NO_ARGUMENTS: Final = "{}"
DIRECT: Final = "direct"
"""Who calls a tool as a rule: the model itself."""


class Start:
    """The beginning of a block, as it came. `place` gives its part an index, once there is something to say of it."""

    __slots__ = ("block", "origin", "place", "raw")

    def __init__(self, raw: Raw, place: Callable[[], int], origin: Origin) -> None:
        self.raw = raw
        self.block = read(raw, Block)
        self.place = place
        self.origin = origin

    def opaque(self, **grown: Raw | str | list[Raw]) -> Opaque:
        """Return the block as JSON: as it came, but for the members that grew since."""
        if not grown:
            return Opaque(text_of(self.raw), self.origin)
        fields: dict[str, Raw | str | list[Raw]] = dict(msgspec.json.decode(self.raw, type=dict[str, Raw]))
        return Opaque(text_of(Raw(msgspec.json.encode(fields | grown))), self.origin)


class Growing(Protocol):
    """A block under construction. Each method returns what it adds to the answer."""

    def begin(self) -> list[StreamEvent]: ...
    def add(self, delta: Delta) -> list[StreamEvent]: ...
    def add_rare(self, delta: RareDelta) -> None: ...
    def end(self) -> list[StreamEvent]: ...


class Words:
    """Text, with what it cites."""

    __slots__ = ("_citations", "_index", "_pieces", "_start")

    def __init__(self, start: Start) -> None:
        self._start = start
        self._index: int | None = None
        self._pieces: list[str] = []
        self._citations = list(start.block.citations or ())

    def begin(self) -> list[StreamEvent]:
        return self.add(Delta(text=self._start.block.text))

    def add(self, delta: Delta) -> list[StreamEvent]:
        text = delta.text
        if not text:
            return []
        index = self._index
        if index is None:
            index = self._index = self._start.place()
        self._pieces.append(text)
        return [TextDelta(index, text)]

    def add_rare(self, delta: RareDelta) -> None:
        if bytes(delta.citation):
            self._citations.append(delta.citation)

    def end(self) -> list[StreamEvent]:
        places = [read(raw, WireCitation) for raw in self._citations if bytes(raw)[:1] == b"{"]
        citations = [found for place in places if (found := citation_of(place)) is not None]
        text = "".join(self._pieces)
        if self._index is None or not citations:
            return []
        opaque = None
        # Only such places mean nothing to the server unless they come back from the client.
        if any(place.encrypted_index for place in places):
            opaque = self._start.opaque(text=text, citations=self._citations)
        return [PartDelta(self._index, Text(text, citations, opaque=opaque))]


class Thoughts:
    """Reasoning, which goes back with its signature. Without words it is withheld."""

    __slots__ = ("_index", "_pieces", "_signature", "_start")

    def __init__(self, start: Start) -> None:
        self._start = start
        self._index: int | None = None
        self._pieces: list[str] = []
        self._signature = start.block.signature or ""

    def begin(self) -> list[StreamEvent]:
        return self.add(Delta(thinking=self._start.block.thinking))

    def add(self, delta: Delta) -> list[StreamEvent]:
        if delta.signature:
            self._signature = delta.signature
        thinking = delta.thinking
        if not thinking:
            return []
        index = self._index
        if index is None:
            index = self._index = self._start.place()
        self._pieces.append(thinking)
        return [ReasoningDelta(index, thinking)]

    def add_rare(self, delta: RareDelta) -> None:
        del delta

    def end(self) -> list[StreamEvent]:
        text, block = "".join(self._pieces), self._start.block
        if not self._signature:
            return []
        grown = {"thinking": text, "signature": self._signature}
        whole = (block.thinking, block.signature) == (text, self._signature)
        opaque = self._start.opaque() if whole else self._start.opaque(**grown)
        index = self._start.place() if self._index is None else self._index
        return [PartDelta(index, Reasoning(text, "summary" if text else "redacted", opaque))]


class Call:
    """A call of one of the host's tools."""

    __slots__ = ("_index", "_pieces", "_start")

    def __init__(self, start: Start) -> None:
        self._start = start
        self._index = start.place()
        self._pieces: list[str] = []

    @property
    def _id(self) -> str:
        return self._start.block.id or f"call_{self._index}"

    @property
    def _name(self) -> str:
        return self._start.block.name or ""

    def begin(self) -> list[StreamEvent]:
        return [ToolCallDelta(self._index, self._id, self._name)]

    def add(self, delta: Delta) -> list[StreamEvent]:
        fragment = delta.partial_json
        if not fragment:
            return []
        self._pieces.append(fragment)
        return [ToolCallDelta(self._index, arguments=fragment)]

    def add_rare(self, delta: RareDelta) -> None:
        del delta

    def end(self) -> list[StreamEvent]:
        """Give the arguments that came with the beginning, if no others did."""
        events: list[StreamEvent] = []
        block = self._start.block
        if not "".join(self._pieces).strip():
            given = text_of(block.input)
            self._pieces.append(given if given.startswith("{") else NO_ARGUMENTS)
            events = [ToolCallDelta(self._index, arguments=self._pieces[-1])]
        indirect = block.caller is not None and block.caller.type != DIRECT
        if indirect or block.toolset_name:
            call = ToolCall(self._id, self._name, "".join(self._pieces), self._start.opaque())
            events.append(PartDelta(self._index, call))
        return events


class Foreign:
    """A block that only the server understands, such as a search that it ran."""

    __slots__ = ("_fragments", "_grown", "_index", "_start")

    def __init__(self, start: Start) -> None:
        self._start = start
        self._index = start.place()
        self._fragments: list[str] = []
        self._grown: dict[str, str] = {}

    def begin(self) -> list[StreamEvent]:
        return []

    def add(self, delta: Delta) -> list[StreamEvent]:
        self._fragments.append(delta.partial_json or "")
        return []

    def add_rare(self, delta: RareDelta) -> None:
        grown = {"content": delta.content, "encrypted_content": delta.encrypted_content}
        self._grown |= {name: value for name, value in grown.items() if value is not None}

    def end(self) -> list[StreamEvent]:
        fragments = "".join(self._fragments)
        grown: dict[str, Raw | str | list[Raw]] = dict(self._grown)
        if is_object(fragments):
            grown["input"] = Raw(fragments.encode())
        return [PartDelta(self._index, self._part(self._start.opaque(**grown)))]

    def _part(self, opaque: Opaque) -> Part:
        return Custom(opaque)


class Withheld(Foreign):
    """Reasoning that the server keeps to itself."""

    def _part(self, opaque: Opaque) -> Part:
        return Reasoning("", "redacted", opaque)


KINDS: Final[dict[str, Callable[[Start], Growing]]] = {
    "text": Words,
    "thinking": Thoughts,
    "redacted_thinking": Withheld,
    "tool_use": Call,
}
"""What a block turns into; all others are `Foreign`."""


def block_of(start: Start) -> Growing:
    """Return the block that begins so."""
    return KINDS.get(start.block.type or "", Foreign)(start)

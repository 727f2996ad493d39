"""An answer in the form that tools are called in becomes words and tool calls, while it arrives."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from sidecar.engines.llama.json_text import WHITESPACE, Extent, Unescaped
from sidecar.schema.events import StreamEvent, TextDelta, ToolCallDelta

State = Callable[[str], "State"]

REPLY: Final = "reply"
NAME: Final = "tool"
ARGUMENTS: Final = "arguments"


class ToolAnswer:
    """Reads one answer. `called` turns true with the first call; `whole` tells that nothing is missing at its end.

    `index` gives the place of each part, `new_id` the name of each call. A reply in JSON stays JSON.
    """

    def __init__(self, index: Callable[[], int], new_id: Callable[[], str], *, json_reply: bool) -> None:
        self.called = False
        self._index = index
        self._new_id = new_id
        self._json_reply = json_reply
        self._state: State = self._between
        self._in_list = False
        self._key = ""
        self._place = 0
        self._extent = Extent()
        self._string: Unescaped | None = None
        self._pieces: list[str] = []
        self._events: list[StreamEvent] = []

    @property
    def whole(self) -> bool:
        """Whether the answer may end here."""
        return self._state == self._between and not self._in_list

    def feed(self, text: str) -> Iterator[StreamEvent]:
        """Yield what `text` adds to the answer."""
        for char in text:
            self._state = self._state(char)
        self._tell()
        events, self._events = self._events, []
        return iter(events)

    def _between(self, char: str) -> State:
        if char in "[]":
            self._in_list = char == "["
        return self._before_key if char == "{" else self._between

    def _before_key(self, char: str) -> State:
        self._key = ""
        if char == "}":
            return self._between
        return self._in_key if char == '"' else self._before_key

    def _in_key(self, char: str) -> State:
        if char == '"':
            return self._before_value
        self._key += char
        return self._in_key

    def _before_value(self, char: str) -> State:
        if char in WHITESPACE or char == ":":
            return self._before_value
        self._extent, self._string = Extent(), None
        if self._key == REPLY:
            self._place = self._index()
            self._string = None if self._json_reply else Unescaped()
        return self._in_value(char)

    def _in_value(self, char: str) -> State:
        place = self._extent.take(char)
        if place != "behind":
            self._pieces.append(self._string.take(char) if self._string else char)
        if place == "inside":
            return self._in_value
        if self._key == NAME:
            self._begin_call()
        self._tell()
        return self._before_key if place == "last" else self._before_key(char)

    def _begin_call(self) -> None:
        name = msgspec.json.decode("".join(self._pieces), type=str)
        self._pieces.clear()
        self.called, self._place = True, self._index()
        self._events.append(ToolCallDelta(self._place, self._new_id(), name))

    def _tell(self) -> None:
        """Make an event of what came of a value; a name is told when it is whole."""
        text = "".join(self._pieces)
        if not text or self._key == NAME:
            return
        self._pieces.clear()
        self._events.append(SAYINGS[self._key](self._place, text))


def _arguments(index: int, text: str) -> StreamEvent:
    return ToolCallDelta(index, arguments=text)


SAYINGS: Final[dict[str, Callable[[int, str], StreamEvent]]] = {REPLY: TextDelta, ARGUMENTS: _arguments}

"""Calls of tools on their way."""

from typing import Final

import msgspec
from msgspec import Raw

from sidecar.dialects import lenient
from sidecar.dialects.openai_responses.items import Book, Events
from sidecar.dialects.openai_responses.wire import Item, Use, Uses
from sidecar.schema.chat import ToolCall
from sidecar.schema.events import PartDelta, ToolCallDelta

WRAPPERS: Final = frozenset({"parallel", "multi_tool_use.parallel"})
"""Names of a tool that models now and then make up to call several others at once."""

NAMESPACE: Final = "functions."
NO_ARGUMENTS: Final = "{}"


class Call:
    """A function called; announced as soon as it has a name."""

    __slots__ = ("_book", "_id", "_index", "_name", "_pieces")

    def __init__(self, book: Book) -> None:
        self._book = book
        self._index: int | None = None
        self._id = ""
        self._name = ""
        self._pieces: list[str] = []

    def begin(self, item: Item) -> Events:
        """Take in who is called."""
        self._id = item.call_id or item.id or ""
        self._name = item.name or ""
        if self._id and self._name and not self._is_wrapper:
            return self._announce()
        return []

    def say(self, text: str) -> Events:
        """Return more of the arguments."""
        if not text:
            return []
        self._pieces.append(text)
        return [] if self._index is None else [ToolCallDelta(self._index, arguments=text)]

    def finish(self, item: Item, raw: Raw) -> Events:
        del raw
        return self._end(item, NO_ARGUMENTS)

    def close(self) -> Events:
        return self._end(Item(), NO_ARGUMENTS) if self._name or self._pieces else []

    @property
    def _is_wrapper(self) -> bool:
        return self._name in WRAPPERS and self._name not in self._book.declared

    def _end(self, item: Item, empty: str) -> Events:
        """Return what is still missing: the announcement, the rest of the arguments, or `empty` in their place."""
        whole, said = _text(item.arguments), "".join(self._pieces)
        events = self.say(whole[len(said) :]) if whole.startswith(said) else []
        if not whole.strip() and not said.strip():
            events += self.say(empty)
        if self._index is not None:
            return events
        self._id = item.call_id or self._id or item.id or ""
        self._name = item.name or self._name
        return self._expanded() if self._is_wrapper else self._announce()

    def _announce(self) -> Events:
        self._book.called = True
        self._index = self._book.next_index()
        self._id = self._id or f"call_{self._index}"
        return [ToolCallDelta(self._index, self._id, self._name, "".join(self._pieces))]

    def _expanded(self) -> Events:
        """Return the calls inside the wrapper, or the wrapper where there are none."""
        try:
            uses = msgspec.json.decode("".join(self._pieces), type=Uses).tool_uses
        except lenient.UNREADABLE:
            uses = list[Use]()
        if not uses:
            return self._announce()
        self._book.called = True
        return [self._inner(number, use) for number, use in enumerate(uses)]

    def _inner(self, number: int, use: Use) -> ToolCallDelta:
        arguments = bytes(use.parameters).decode(errors="replace")
        name = use.recipient_name.removeprefix(NAMESPACE)
        return ToolCallDelta(self._book.next_index(), f"{self._id or 'call'}_{number}", name, arguments)


class CustomCall(Call):
    """A tool called with free text; it must go back in the form in which it came."""

    __slots__ = ()

    @property
    def _is_wrapper(self) -> bool:
        return False

    def finish(self, item: Item, raw: Raw) -> Events:
        written = Item(item.type, item.id, item.call_id, item.name, item.input)
        events = self._end(written, "")
        assert self._index is not None
        call = ToolCall(self._id, self._name, "".join(self._pieces), self._book.keep(raw))
        return [*events, PartDelta(self._index, call)]

    def close(self) -> Events:
        return self._end(Item(), "") if self._name or self._pieces else []


def _text(arguments: str | dict[str, object] | None) -> str:
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return msgspec.json.encode(arguments).decode()

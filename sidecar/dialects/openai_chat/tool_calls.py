"""Tool calls put together from fragments that servers number, name and repeat as they like."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct, field

from sidecar.dialects.openai_chat.wire import Function, ToolFragment
from sidecar.schema.chat import Opaque, Origin, ToolCall
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import PartDelta, ToolCallDelta

NO_FUNCTION: Final = Function()
NO_IDS: Final = frozenset({"", "null"})
"""Ids that name nothing."""

ABSENT: Final = frozenset({b"", b"null"})
FREE_TEXT: Final = "custom"
"""The type of a call whose arguments are any text."""


MAX_CALLS: Final = 4096
"""The most calls in one answer: each new one is compared with those before it."""


class _Call(Struct):
    index: int
    id: str = ""
    name: str = ""
    held: list[str] = field(default_factory=list[str])
    announced: bool = False
    written: bool = False
    extra: dict[str, Any] = field(default_factory=dict[str, Any])
    """What must go back with the call."""


class ToolCalls:
    """Collects the fragments of one answer. `next_index` gives out the indexes of its parts.

    A call is announced with its first argument: until then its name may still grow.
    """

    __slots__ = ("_by_id", "_by_number", "_calls", "_next_index")

    def __init__(self, next_index: Callable[[], int]) -> None:
        self._next_index = next_index
        self._calls: list[_Call] = []
        self._by_number: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}

    def __bool__(self) -> bool:
        return any(call.announced or call.name or call.held for call in self._calls)

    def feed(self, fragment: ToolFragment) -> list[ToolCallDelta]:
        """Return what a fragment adds."""
        function = fragment.function or fragment.custom or NO_FUNCTION
        call_id = None if fragment.id in NO_IDS else fragment.id
        call = self._find(fragment.index, call_id, function.name)
        events: list[ToolCallDelta] = []
        if call is None:
            events = [self._announce(earlier) for earlier in self._calls if earlier.name and not earlier.announced]
            call = self._begin(fragment.index)
        self._identify(call, call_id, function.name)
        if fragment.custom is not None:
            call.extra["type"] = FREE_TEXT
        if bytes(fragment.extra_content) not in ABSENT:
            call.extra["extra_content"] = Raw(bytes(fragment.extra_content))
        arguments = _text(function.arguments) or function.input
        if arguments:
            events += self._write(call, arguments)
        return events

    def finish(self, origin: Origin) -> list[ToolCallDelta | PartDelta]:
        """Return what completes the calls: names that nothing followed, and `{}` for calls without arguments."""
        events: list[ToolCallDelta | PartDelta] = []
        for call in self._calls:
            if not call.announced and (call.name or call.held):
                events.append(self._announce(call))
            if call.announced and not call.written and call.extra.get("type") != FREE_TEXT:
                call.held.append("{}")
                events.append(ToolCallDelta(call.index, arguments="{}"))
            if call.announced and call.extra:
                opaque = Opaque(msgspec.json.encode(call.extra).decode(), origin)
                events.append(PartDelta(call.index, ToolCall(call.id, call.name, "".join(call.held), opaque)))
        return events

    def _find(self, number: int | None, call_id: str | None, name: str | None) -> _Call | None:
        if number is not None:
            call = self._by_number.get(number)
            return None if call is None or _is_another(call, call_id, name) else call
        if call_id is not None and call_id in self._by_id:
            return self._by_id[call_id]
        last = self._calls[-1] if self._calls else None
        if last is not None and (not name or (call_id is None and not last.name)):
            return last
        return None

    def _begin(self, number: int | None) -> _Call:
        if len(self._calls) >= MAX_CALLS:
            raise SidecarError("malformed_response", "The provider's answer has too many tool calls.")
        call = _Call(self._next_index())
        self._calls.append(call)
        if number is not None:
            self._by_number[number] = call
        return call

    def _identify(self, call: _Call, call_id: str | None, name: str | None) -> None:
        if call.announced:
            return
        if call_id and not call.id and call_id not in self._by_id:
            call.id = call_id
            self._by_id[call_id] = call
        if name:
            call.name = name if name.startswith(call.name) else call.name + name

    def _write(self, call: _Call, arguments: str) -> list[ToolCallDelta]:
        call.held.append(arguments)
        if call.announced:
            call.written = call.written or not arguments.isspace()
            return [ToolCallDelta(call.index, arguments=arguments)]
        return [self._announce(call)] if call.name else []

    def _announce(self, call: _Call) -> ToolCallDelta:
        call.announced = True
        call.id = call.id or self._made_up(call.index)
        self._by_id[call.id] = call
        arguments = "".join(call.held)
        call.written = bool(arguments) and not arguments.isspace()
        return ToolCallDelta(call.index, call.id, call.name, arguments)

    def _made_up(self, number: int) -> str:
        while (made_up := f"call_{number}") in self._by_id:
            number += 1
        return made_up


def _is_another(call: _Call, call_id: str | None, name: str | None) -> bool:
    """Tell whether a fragment with the number of `call` begins another call, as it does where servers reuse numbers."""
    if not name:
        return False
    if call_id and call.id:
        return call_id != call.id
    return call.written and name != call.name


def _text(arguments: str | dict[str, Any] | list[Any] | None) -> str:
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return msgspec.json.encode(arguments).decode()

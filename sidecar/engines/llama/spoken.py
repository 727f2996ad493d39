"""What a worker reports of an answer becomes stream events."""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Final, Literal
from uuid import uuid4

from msgspec import Struct

from sidecar.dialects.aloud import Aloud, Pieces
from sidecar.dialects.shaping import Shaper, Shaping
from sidecar.engines.llama.protocol import Delta, Done, Finish
from sidecar.engines.llama.tool_answer import ToolAnswer
from sidecar.schema.chat import FinishReason, Reason
from sidecar.schema.events import ReasoningDelta, Status, StreamEvent, TextDelta, UsageDelta

FINISHES: Final[dict[Finish, Reason]] = {"stop": "stop", "length": "length", "cancelled": "cancelled"}


class Form(Struct, frozen=True):
    """The form of an answer: words with thoughts between marks, JSON as it is, or replies and calls of tools.

    `stop` are sequences at which a reply ends, where the worker cannot tell it from the form around it.
    """

    kind: Literal["words", "json", "tools"] = "words"
    json_reply: bool = False
    stop: tuple[str, ...] = ()


def new_call_id() -> str:
    """Return a name for a tool call that no other one has."""
    return f"call_{uuid4().hex[:24]}"


class Spoken:
    """One answer on its way. `stopped` turns true when a stop sequence came, behind which nothing belongs to it."""

    def __init__(self, form: Form, new_id: Callable[[], str] = new_call_id) -> None:
        self._new_index = count().__next__
        self._indexes: dict[type[TextDelta | ReasoningDelta], int] = {}
        self._aloud = Aloud() if form.kind == "words" else None
        self._tools = ToolAnswer(self._new_index, new_id, json_reply=form.json_reply) if form.kind == "tools" else None
        self._shaper = Shaper(Shaping(stop=form.stop)) if form.stop else None

    @property
    def stopped(self) -> bool:
        return self._shaper is not None and self._shaper.stopped

    def add(self, delta: Delta) -> Iterable[StreamEvent]:
        """Return what a delta adds to the answer."""
        events = self._said(delta)
        return self._shaper.shape(events) if self._shaper else events

    def end(self, done: Done) -> Iterator[StreamEvent]:
        """Yield the rest of the answer, what it took, and why it ended."""
        rest: list[StreamEvent] = [*self._split(self._aloud.rest())] if self._aloud else []
        calls = self._tools is not None and self._tools.called and self._tools.whole and done.finish == "stop"
        ending = FinishReason("tool_calls" if calls else FINISHES[done.finish], done.finish)
        events = [*rest, usage(done), ending]
        yield from self._shaper.shape(events) if self._shaper else events

    def _said(self, delta: Delta) -> Iterable[StreamEvent]:
        if delta.kind == "reasoning":
            return self._split((delta.text, ""))
        if self._tools is not None:
            return self._tools.feed(delta.text)
        if self._aloud is not None:
            return self._split(self._aloud.split(delta.text))
        return [TextDelta(self._index(TextDelta), delta.text)]

    def _split(self, pieces: Pieces) -> Iterator[StreamEvent]:
        thoughts, words = pieces
        if thoughts:
            if ReasoningDelta not in self._indexes:
                yield Status(state="thinking")
            yield ReasoningDelta(self._index(ReasoningDelta), thoughts)
        if words:
            yield TextDelta(self._index(TextDelta), words)

    def _index(self, kind: type[TextDelta | ReasoningDelta]) -> int:
        if kind not in self._indexes:
            self._indexes[kind] = self._new_index()
        return self._indexes[kind]


def usage(done: Done) -> UsageDelta:
    """Return the tokens that a worker counted."""
    return UsageDelta(
        input_tokens=done.prompt_tokens,
        output_tokens=done.completion_tokens,
        cache_read_tokens=done.cached_tokens,
    )

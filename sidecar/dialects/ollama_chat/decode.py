"""Answers read: lines in, events out."""

from binascii import crc32
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

import msgspec
from msgspec import Raw

from sidecar.dialects import errors, lenient
from sidecar.dialects.contract import Aim, Answer, HttpRequest
from sidecar.dialects.counts import Counts, checked
from sidecar.dialects.ollama_chat.wire import Call, Function, Line, Message
from sidecar.framing.frame import Frame
from sidecar.schema.chat import Base64Source, File, FinishReason, Reason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import PartDelta, ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta, UsageDelta

LINE: Final = msgspec.json.Decoder(Line)
NO_FUNCTION: Final = Function()
ABSENT: Final = frozenset({b"", b"null"})

FINISH_REASONS: Final[dict[str, Reason]] = {"stop": "stop", "length": "length"}

ANY_IMAGE: Final = "image/*"

Spoken = type[TextDelta] | type[ReasoningDelta]


class Decoder:
    """Reads one answer."""

    __slots__ = ("_calls", "_ids", "_indexes", "_next_index", "cost", "finished", "settled")

    def __init__(self, aim: Aim) -> None:
        del aim
        self.finished = False
        self.settled = False
        self.cost: str | None = None
        self._next_index = count().__next__
        self._indexes: dict[Spoken, int] = {}
        self._ids: set[str] = set()
        self._calls = 0

    def feed(self, frame: Frame) -> Iterable[StreamEvent]:
        """Return what a line adds."""
        if self.finished:
            return []
        line = self._read(frame.data)
        if line.error:
            raise errors.error_in(frame.data) or SidecarError("server_error")
        events: list[StreamEvent] = []
        if line.message is not None:
            self._add(line.message, line, events)
        if line.done:
            self._end(line, events)
        return events

    def close(self) -> Iterable[StreamEvent]:
        """Refuse an answer whose last line did not come."""
        if not self.finished:
            raise SidecarError("stream_interrupted", "The answer broke off.")
        return []

    def follow_up(self, request: HttpRequest) -> HttpRequest | None:
        """Return nothing: an answer comes as a whole."""
        del request
        return None

    def answer(self, body: bytes) -> Iterator[StreamEvent]:
        """Return all events of a whole answer."""
        yield from self.feed(Frame(body))
        if not self.finished:
            raise SidecarError("malformed_response", "The provider's answer holds no message.")

    def _read(self, data: bytes) -> Line:
        try:
            return LINE.decode(data)
        except lenient.UNREADABLE:
            return lenient.read(data, Line)

    def _add(self, message: Message, line: Line, events: list[StreamEvent]) -> None:
        if message.thinking:
            self._say(ReasoningDelta, message.thinking, events)
        if message.content:
            self._say(TextDelta, message.content, events)
        for call in message.tool_calls or ():
            self._call(call, line, events)
        for image in message.images or ():
            source = Base64Source(Raw(msgspec.json.encode(image)))
            events.append(PartDelta(self._next_index(), File(ANY_IMAGE, source)))

    def _say(self, kind: Spoken, text: str, events: list[StreamEvent]) -> None:
        index = self._indexes.get(kind)
        if index is None:
            index = self._indexes[kind] = self._next_index()
        events.append(kind(index, text))

    def _call(self, call: Call, line: Line, events: list[StreamEvent]) -> None:
        function = call.function or NO_FUNCTION
        if not function.name:
            return
        self._calls += 1
        arguments = _text(bytes(function.arguments))
        events.append(ToolCallDelta(self._next_index(), self._id(call, line), function.name, arguments))

    def _id(self, call: Call, line: Line) -> str:
        """Return the id of a call; a made up one holds the time, so that no other turn of a conversation has it."""
        moment = crc32((line.created_at or "").encode(errors="surrogatepass"))
        wanted = call.id or f"call_{moment:08x}_{self._calls}"
        taken = next(id_ for n in count(1) if (id_ := wanted if n == 1 else f"{wanted}_{n}") not in self._ids)
        self._ids.add(taken)
        return taken

    def _end(self, line: Line, events: list[StreamEvent]) -> None:
        self.finished = self.settled = True
        usage = checked(Counts(input=line.prompt_eval_count, output=line.eval_count))
        if usage != UsageDelta():
            events.append(usage)
        raw = line.done_reason
        reason = FINISH_REASONS.get(raw or "stop", "other")
        events.append(FinishReason("tool_calls" if reason == "stop" and self._calls else reason, raw))


def _text(arguments: bytes) -> str:
    """Return arguments as JSON; they may come as a string that holds it."""
    if arguments[:1] == b'"':
        try:
            arguments = msgspec.json.decode(arguments, type=str).encode()
        except lenient.UNREADABLE:
            return arguments.decode(errors="replace")
    return "{}" if arguments in ABSENT else arguments.decode(errors="replace")


def decode_answer(body: bytes, aim: Aim) -> Answer:
    """Return the events of a whole answer."""
    return Answer(tuple(Decoder(aim).answer(body)))

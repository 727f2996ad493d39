"""Requests in flight and open streams of one process: what is written for them, and what comes back."""

from collections.abc import Callable
from itertools import count
from typing import Final, Protocol, TypeVar

import anyio
from msgspec import Raw, Struct

from llm_sidecar import errors
from llm_sidecar.encoding import decode, encode
from llm_sidecar.errors import SidecarError
from llm_sidecar.lines import LINE_FEED
from llm_sidecar.messages import UNREADABLE, BrokenEvent, BrokenReply, Chunk, Noise, Reply, read
from llm_sidecar.protocol import CancelRequestParams, ErrorObject, Id, StreamChunk, StreamStatus
from llm_sidecar.streams import Stream

T = TypeVar("T")
VERSION: Final = "2.0"


class _Request(Struct, frozen=True):
    id: int
    method: str
    params: object
    jsonrpc: str = VERSION


class _Notification(Struct, frozen=True):
    method: str
    params: object
    jsonrpc: str = VERSION


class Waiting(Protocol):
    """Whoever waits for a reply."""

    def finish(self, result: Raw) -> None:
        """Take the result, still JSON."""

    def fail(self, error: SidecarError) -> None:
        """Take the error."""


class _Call:
    """A call that waits for its reply."""

    def __init__(self) -> None:
        self.settled: Final = anyio.Event()
        self.outcome: Raw | SidecarError | None = None

    def finish(self, result: Raw) -> None:
        self.outcome = result
        self.settled.set()

    def fail(self, error: SidecarError) -> None:
        self.outcome = error
        self.settled.set()


class Session:
    """Turns calls into lines for `send`, and lines into what settles them. It never waits for anybody's reading."""

    def __init__(self, send: Callable[[bytes], None], log: Callable[[str], None]) -> None:
        self._send = send
        self._log = log
        self._ids = count(1)
        self._pending: dict[Id, Waiting] = {}
        self._streams: dict[str, Stream] = {}
        self._open = True

    @property
    def is_open(self) -> bool:
        """Whether it takes new calls."""
        return self._open

    async def call(self, method: str, params: object, result: type[T]) -> T:
        """Return the result of a call. Whoever is cancelled here cancels the call."""
        call = _Call()
        id_ = self.ask(method, params, call)
        try:
            await call.settled.wait()
        except anyio.get_cancelled_exc_class():
            self._cancel(id_)
            raise
        finally:
            self._pending.pop(id_, None)
        return _result(call.outcome, result)

    def ask(self, method: str, params: object, waiting: Waiting) -> int:
        """Write a request, and return its id; raise `connection_closed` where nobody would read it."""
        if not self._open:
            raise errors.CLOSED.error()
        id_ = next(self._ids)
        line = encode(_Request(id_, method, params)) + LINE_FEED
        self._pending[id_] = waiting
        self._send(line)
        return id_

    def begin_stream(self, stream: Stream, params: object) -> None:
        """Ask; from now on the stream is given what comes for it."""
        if not self._open:
            stream.fail(errors.CLOSED.error())
            return
        self._streams.setdefault(stream.id, stream)
        self.ask("chat.stream", params, stream)

    def cancel_stream(self, stream: Stream) -> None:
        """Ask for the end of a stream."""
        for id_, pending in self._pending.items():
            if pending is stream:
                self._cancel(id_)

    def shut_down(self) -> None:
        """Ask for the end of everything, and take no more calls."""
        if self._open:
            self.ask("shutdown", {}, _Call())
            self._open = False

    def end(self) -> None:
        """Fail what is open: nothing more will come."""
        self._open = False
        pending, self._pending = self._pending, {}
        self._streams.clear()
        for waiting in pending.values():
            waiting.fail(errors.CLOSED.error())

    def receive(self, line: bytes) -> None:
        """Take a line of the sidecar's."""
        if not line.strip():
            return
        match read(line):
            case Chunk() | StreamChunk() | StreamStatus() | BrokenEvent() as event:
                if stream := self._streams.get(event.stream_id):
                    _give(stream, event)
            case Reply() | BrokenReply() as reply:
                if waiting := self._taken(reply.id):
                    _settle(waiting, reply)
            case Noise(problem):
                self._log(problem)
            case None:
                pass

    def _cancel(self, id_: Id) -> None:
        self._send(encode(_Notification("$/cancelRequest", CancelRequestParams(id=id_))) + LINE_FEED)

    def _taken(self, id_: Id) -> Waiting | None:
        """Return who waits for this reply, and forget them: there is one reply to each request."""
        waiting = self._pending.pop(id_, None)
        if isinstance(waiting, Stream) and self._streams.get(waiting.id) is waiting:
            del self._streams[waiting.id]
        return waiting


def _give(stream: Stream, event: Chunk | StreamChunk | StreamStatus | BrokenEvent) -> None:
    match event:
        case Chunk() | StreamChunk():
            stream.take_chunk(event.seq, event.delta)
        case StreamStatus():
            stream.take_status(event)
        case BrokenEvent(problem=problem):
            stream.break_off(errors.INVALID.error(problem))


def _settle(waiting: Waiting, reply: Reply | BrokenReply) -> None:
    if isinstance(reply, BrokenReply):
        waiting.fail(errors.INVALID.error(reply.problem))
    elif isinstance(reply.outcome, ErrorObject):
        waiting.fail(errors.from_reply(reply.outcome))
    else:
        waiting.finish(reply.outcome)


def _result(outcome: Raw | SidecarError | None, kind: type[T]) -> T:
    if isinstance(outcome, SidecarError):
        raise outcome
    assert outcome is not None
    try:
        return decode(outcome, kind)
    except UNREADABLE as error:
        raise errors.INVALID.error(f"The result cannot be read: {error}") from None

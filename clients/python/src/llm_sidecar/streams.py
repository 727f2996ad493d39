"""Streams: the events of an answer as they come, and its result."""

import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar, Final, Generic, Literal, Self, TypeAlias, TypeVar

import anyio
from anyio.lowlevel import checkpoint
from msgspec import UNSET, Raw
from msgspec.structs import asdict

from llm_sidecar import errors
from llm_sidecar.encoding import decode
from llm_sidecar.errors import SidecarError
from llm_sidecar.messages import UNREADABLE
from llm_sidecar.protocol import ChatResult, Delta, StreamStatus, TextDelta

READS_PER_CHECKPOINT: Final = 100
"""How many events are given from what is there before others get their turn."""

E = TypeVar("E")


class Status(StreamStatus, frozen=True, kw_only=True, omit_defaults=True, tag="status"):
    """What the stream waits for; the latest counts, until the next delta."""

    type: ClassVar[Literal["status"]] = "status"


Event: TypeAlias = Delta | Status
"""What a stream consists of."""


class Stream:
    """One answer. Iterate over it for its events, or over `texts()`; `result()` is the whole of it.

    Leaving an iteration before its end cancels the stream, and so does leaving `async with stream`, or cancelling
    whoever waits for it. It goes on where an iteration is kept: `events = aiter(stream)`.
    """

    def __init__(self, stream_id: str, max_unread: int, on_cancel: Callable[["Stream"], None]) -> None:
        self.id: Final = stream_id
        self.on_result: Callable[[Raw], None] | None = None
        """Is given the result's JSON as soon as it is there."""
        self._max_unread = max_unread
        self._on_cancel = on_cancel
        self._events: deque[Event] = deque()
        self._chunks = 0
        self._reads = 0
        self._wanted = True
        self._iterated = False
        self._cancelling = False
        self._arrival: anyio.Event | None = None
        self._ended = anyio.Event()
        self._outcome: ChatResult | SidecarError | None = None

    @property
    def ended(self) -> bool:
        """Whether the result, or the error, is there."""
        return self._outcome is not None

    def __aiter__(self) -> "Iteration[Event]":
        return Iteration(self, lambda event: event)

    def texts(self) -> "Iteration[str]":
        """Iterate over the texts of the answer alone."""
        return Iteration(self, lambda event: event.text if isinstance(event, TextDelta) else None)

    async def result(self) -> ChatResult:
        """Wait for the end; raise `SidecarError` if it is one. Where nobody iterates, events are thrown away."""
        if not self._iterated:
            self._discard()
        await self._wait(self._ended)
        if isinstance(self._outcome, SidecarError):
            raise self._outcome
        assert self._outcome is not None
        return self._outcome

    async def cancel(self) -> None:
        """Ask for the end. The result then tells `cancelled`, and has the message as far as it came."""
        self.cancel_soon()
        await checkpoint()

    def cancel_soon(self) -> None:
        """Do what `cancel` does, where nothing can be awaited."""
        if not self.ended and not self._cancelling:
            self._cancelling = True
            self._on_cancel(self)

    async def wait(self) -> None:
        """Wait for the end, whichever it is. Cancelling this cancels nothing else."""
        await self._ended.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """Cancel what nobody wants to read any more."""
        self._discard()
        self.cancel_soon()

    def begin_iteration(self) -> None:
        """Keep the events from now on, also while the result is waited for."""
        self._iterated = True

    async def next(self) -> Event | None:
        """Return the next event, or None at the end; raise `SidecarError` where that is one."""
        self._reads += 1
        if self._reads % READS_PER_CHECKPOINT == 0:
            await self._wait(None)
        while not self._events:
            if isinstance(self._outcome, SidecarError):
                raise self._outcome
            if self._outcome is not None:
                return None
            self._arrival = self._arrival or anyio.Event()
            await self._wait(self._arrival)
        return self._events.popleft()

    def take_chunk(self, seq: int, delta: Delta) -> None:
        """Take a piece of the answer from the sidecar."""
        if self.ended:
            return
        if seq != self._chunks:
            self.break_off(errors.INVALID.error(f"Chunk {seq} came instead of chunk {self._chunks}."))
            return
        self._chunks += 1
        self._take(delta)

    def take_status(self, status: StreamStatus) -> None:
        """Take what the sidecar waits for."""
        if not self.ended:
            self._take(Status(**asdict(status)))

    def finish(self, result: Raw) -> None:
        """Take the reply, which is the end."""
        try:
            decoded = decode(result, ChatResult)
        except UNREADABLE as error:
            self.fail(errors.INVALID.error(f"The result cannot be read: {error}"))
            return
        if decoded.chunks not in (UNSET, self._chunks):
            self.fail(errors.INVALID.error(f"{self._chunks} chunks came, not {decoded.chunks}."))
            return
        if self.on_result and not self.ended:
            self.on_result(result)
        self._end(decoded)

    def fail(self, error: SidecarError) -> None:
        """End with an error, after the events that came."""
        self._end(error)

    def break_off(self, error: SidecarError) -> None:
        """End with an error that the sidecar does not know of."""
        self.cancel_soon()
        self._end(error)

    def _take(self, event: Event) -> None:
        if not self._wanted:
            return
        if len(self._events) >= self._max_unread:
            self.break_off(errors.STALLED.error())
            return
        self._events.append(event)
        self._announce()

    def _end(self, outcome: ChatResult | SidecarError) -> None:
        if self._outcome is None:
            self._outcome = outcome
            self._ended.set()
            self._announce()

    def _announce(self) -> None:
        if self._arrival:
            self._arrival.set()
            self._arrival = None

    def _discard(self) -> None:
        self._wanted = False
        self._events.clear()

    async def _wait(self, event: anyio.Event | None) -> None:
        """Wait for the event, or let others have their turn; whoever is cancelled here cancels the stream."""
        try:
            await (event.wait() if event else checkpoint())
        except anyio.get_cancelled_exc_class():
            self.leave()
            raise


class Iteration(Generic[E]):
    """One pass over a stream's events. When it is dropped before the end, the stream is cancelled."""

    def __init__(self, stream: Stream, pick: Callable[[Event], E | None]) -> None:
        stream.begin_iteration()
        self._stream = stream
        self._pick = pick
        self._thread = threading.get_ident()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        while (event := await self._stream.next()) is not None:
            if (picked := self._pick(event)) is not None:
                return picked
        raise StopAsyncIteration

    def __del__(self) -> None:
        # The garbage collector may call from any thread; a stream belongs to that of its event loop.
        if not self._stream.ended and threading.get_ident() == self._thread:
            self._stream.leave()

"""One connection to a server, over which questions go out and answers come in, one at a time."""

import asyncio
import select
import sys
from collections.abc import Iterator
from typing import Final, cast

from sidecar.engines.reply import PARSER_ERRORS, Reply
from sidecar.engines.sockets import READ_AHEAD, peer_of, wake

SMALL_BYTES: Final = 64 << 10
"""The largest body that is copied, to leave in one write with its head."""

PIECE_BYTES: Final = 256 << 10
"""The pieces in which a larger one leaves: the loop copies what the kernel does not take at once."""


class Unanswered(Exception):  # noqa: N818 - nobody's error yet: the question may be asked again
    """The connection ended before an answer began. `unheard` where the server cannot have acted on the question."""

    def __init__(self, *, unheard: bool) -> None:
        self.unheard = unheard


class NotHttp(Exception):  # noqa: N818 - a finding, to be reported with the server's name
    """What came is no answer."""


class Connection(asyncio.BufferedProtocol):
    """`buffer` may be shared: what a read leaves there is parsed before anything else is read."""

    def __init__(self, origin: str, buffer: memoryview) -> None:
        self.origin = origin
        self.reply = Reply()
        self.ended = False
        self._buffer = buffer
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._sent = False
        self._blocked = False
        self._paused = False
        self._unread = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        try:
            more = self.reply.feed(self._buffer[:nbytes])
        except PARSER_ERRORS:
            self._end(NotHttp())
            self._transport.abort()
            return
        if more:
            wake(self._waiter)
            self._unread += nbytes
            if self._unread >= READ_AHEAD and not self._paused:
                self._paused = True
                self._transport.pause_reading()

    def eof_received(self) -> None:
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)

    def _end(self, error: Exception | None) -> None:
        if self.ended:
            return
        self.ended, self._error = True, error
        if error is None:
            self.reply.end()
        wake(self._waiter)

    def pause_writing(self) -> None:
        self._blocked = True

    def resume_writing(self) -> None:
        self._blocked = False
        wake(self._waiter)

    def change(self) -> "asyncio.Future[None]":
        """Return what is done when more has come, the connection has ended, or there is room to write."""
        self._waiter = waiter = self._loop.create_future()
        return waiter

    async def send(self, head: bytes, body: bytes) -> bool:
        """Send a question; False where the server answers or closes before all of it is on its way."""
        self._sent = False
        for piece in _pieces(head, body):
            if self.ended or self.reply.status:
                return False
            self._transport.write(piece)
            while self._blocked and not self.ended and not self.reply.status:
                await self.change()
        self._sent = not self._blocked
        return self._sent

    async def answered(self) -> None:
        """Wait for the head of the answer; raise `Unanswered` or `NotHttp` where none comes."""
        while not self.reply.status:
            if isinstance(self._error, NotHttp):
                raise self._error
            if self.ended:
                raise Unanswered(unheard=isinstance(self._error, ConnectionError) or not self._sent)
            await self.change()

    def take(self) -> bytes:
        """Return the body received since the last time."""
        self._unread = 0
        if self._paused:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return self.reply.take()

    def begin(self) -> bool:
        """Prepare for another question; False when the connection cannot be used again."""
        if self._transport.is_closing() or _is_readable(self._transport.get_extra_info("socket").fileno()):
            return False
        self.reply.begin()
        return True

    @property
    def peer(self) -> str:
        """The address of whoever is at the other end."""
        return peer_of(self._transport)

    @property
    def is_free(self) -> bool:
        """Whether the question was sent, the answer has come, and the server is ready for another."""
        return self._sent and self.reply.keeps_connection and not self._transport.is_closing()

    def rest(self) -> None:
        """Forget what is left of the answer, and listen for the server to close."""
        self.take()

    def abort(self) -> None:
        """Close at once, in both directions."""
        self._transport.abort()


def _pieces(head: bytes, body: bytes) -> Iterator[bytes | memoryview]:
    if len(body) <= SMALL_BYTES:
        yield head + body
        return
    yield head
    view = memoryview(body)
    for start in range(0, len(view), PIECE_BYTES):
        yield view[start : start + PIECE_BYTES]


if sys.platform == "win32":

    def _is_readable(number: int) -> bool:
        return bool(select.select([number], [], [], 0)[0])

else:

    def _is_readable(number: int) -> bool:
        """Tell whether a socket has something to say; while nothing was asked, that it was closed."""
        poll = select.poll()
        poll.register(number, select.POLLIN)
        return bool(poll.poll(0))

"""The limit in Python: an HTTP/1.1 client by hand on asyncio.Protocol, no library, no error handling."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from adapters.contract import Client, Messages
from adapters.wire import answer_text, cut, question, stream_question, texts

HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\nAuthorization: Bearer %s\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


def content_length(head: bytes) -> int | None:
    """The declared length of the body; None when it comes in chunks."""
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if found else None


class Connection(asyncio.Protocol):
    """One connection, one exchange at a time."""

    def __init__(self) -> None:
        self.lost = False
        self.waiter: asyncio.Future[None] | None = None
        self.begin()

    def begin(self) -> None:
        """Forget the last exchange."""
        self.buffer = b""
        self.in_head, self.done = True, False
        self.length: int | None = None
        self.pieces: deque[bytes] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the Protocol's signature
        self.lost = self.done = True
        self.wake()

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        if self.in_head:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 200"):
                self.transport.close()
                return
            self.in_head, self.length, self.buffer = False, content_length(head), rest
        self.cut_chunks() if self.length is None else self.cut_body(self.length)
        self.wake()

    def cut_body(self, length: int) -> None:
        if len(self.buffer) >= length:
            self.pieces.append(self.buffer)
            self.done = True

    def cut_chunks(self) -> None:
        buffer, at = self.buffer, 0
        while (end := buffer.find(b"\r\n", at)) >= 0:
            size = int(buffer[at:end], 16)
            if len(buffer) < end + 4 + size:
                break
            at = end + 4 + size
            if not size:
                self.done = True
                break
            self.pieces.append(buffer[end + 2 : at - 2])
        self.buffer = buffer[at:]

    def wake(self) -> None:
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)

    async def wait(self) -> None:
        """Return when more has arrived."""
        self.waiter = asyncio.get_running_loop().create_future()
        await self.waiter


class Adapter(Client):
    """A pool of such connections."""

    async def open(self) -> None:
        self.host = urlsplit(self.base)
        self.idle: list[Connection] = []

    async def connection(self) -> Connection:
        """One that is idle, else a new one."""
        while self.idle:
            connection = self.idle.pop()
            if not connection.lost:
                connection.begin()
                return connection
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(Connection, self.host.hostname, self.host.port))[1]

    async def send(self, body: bytes) -> Connection:
        connection = await self.connection()
        head = HEAD % (self.host.netloc.encode(), self.key.encode(), len(body))
        connection.transport.writelines([head, body])
        return connection

    def release(self, connection: Connection) -> None:
        """Take back a connection; raise when the answer was cut short."""
        if connection.lost:
            message = "the provider refused, or closed the connection"
            raise ConnectionError(message)
        self.idle.append(connection)

    async def unary(self, model: str, messages: Messages) -> str:
        connection = await self.send(question(model, messages))
        while not connection.done:
            await connection.wait()
        self.release(connection)
        return answer_text(connection.pieces[0])

    async def stream(self, model: str, messages: Messages) -> AsyncIterator[str]:
        connection, rest = await self.send(stream_question(model, messages)), b""
        while True:
            if data := b"".join(connection.pieces):
                connection.pieces.clear()
                events, rest = cut(rest, data)
                for text in texts(events):
                    yield text
            elif connection.done:
                break
            else:
                await connection.wait()
        self.release(connection)

"""A scripted HTTP/1.1 server on loopback, in place of a provider.

A test says what it does in a handler, a coroutine function that is given each `Exchange`:

    async with upstream.serve(upstream.events(b"data: [DONE]\\n\\n")) as server:
        ... server.url, server.requests, server.connections, server.gone ...

`running` is the same for tests that are no coroutines, in a thread of its own.
"""

import asyncio
import json
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from anyio.from_thread import start_blocking_portal

EVENT_STREAM = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}
TLS_HELLO = b"\x16\x03"
RESET = struct.pack("ii", 1, 0)

Framing = Literal["chunked", "close"]


@dataclass(frozen=True)
class Request:
    """What the client sent; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Gate:
    """Closed until a test opens it, from whichever thread."""

    def __init__(self) -> None:
        self._opened = threading.Event()

    def open(self) -> None:
        self._opened.set()

    async def passed(self) -> None:
        await anyio.to_thread.run_sync(self._opened.wait, abandon_on_cancel=True)


class Connection(asyncio.Protocol):
    """One client. `gone` is set when it has closed, or been closed."""

    def __init__(self, server: "Server") -> None:
        self.gone = anyio.Event()
        self.transport: asyncio.Transport | None = None
        self._server = server
        self._received = bytearray()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._server.connections += 1
        self._server.tasks.start_soon(self._run)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.gone.set()
        self._server.gone.set()
        self._arrived.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def write(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)
        await self._writable.wait()

    async def _run(self) -> None:
        while (request := await self._request()) is not None:
            self._server.requests.append(request)
            exchange = Exchange(request, self, len(self._server.requests) - 1)
            await self._server.handler(exchange)
            if exchange.framing == "close":
                self.close()

    def close(self) -> None:
        """Close in both directions, the TLS handshake included if it is still on."""
        if self.transport is not None:
            self.transport.close()

    async def _request(self) -> Request | None:
        head = await self._until(self._head_size)
        if head is None:
            return None
        if head.startswith(TLS_HELLO):
            await self.write(_head(400, {"content-length": "0", "connection": "close"}))
            self.close()
            return None
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0))
        body = await self._until(lambda: size if len(self._received) >= size else 0) if size else b""
        return None if body is None else Request(method, path, headers, body)

    def _head_size(self) -> int:
        if self._received.startswith(TLS_HELLO):
            return len(self._received)
        return self._received.find(b"\r\n\r\n") + 4 if b"\r\n\r\n" in self._received else 0

    async def _until(self, complete: Callable[[], int]) -> bytes | None:
        while not (size := complete()):
            if self.gone.is_set():
                return None
            self._arrived.clear()
            await self._arrived.wait()
        data = bytes(self._received[:size])
        del self._received[:size]
        return data


class Exchange:
    """One request, to be answered. `number` counts the server's requests from 0."""

    def __init__(self, request: Request, connection: Connection, number: int) -> None:
        self.request = request
        self.connection = connection
        self.number = number
        self.framing: Framing | None = None

    async def respond(self, status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Send a whole answer."""
        await self.raw(_head(status, {"content-length": str(len(body)), **(headers or {})}) + body)

    async def start(
        self, status: int = 200, headers: dict[str, str] | None = None, framing: Framing = "chunked"
    ) -> None:
        """Send the head of an answer that comes in pieces; `close` has its end marked by the connection's."""
        self.framing = framing
        how = {"transfer-encoding": "chunked"} if framing == "chunked" else {"connection": "close"}
        await self.raw(_head(status, how | (headers or {})))

    async def send(self, data: bytes) -> None:
        """Send a piece of the body."""
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data) if self.framing == "chunked" else data)

    async def end(self) -> None:
        """End the body."""
        if self.framing == "chunked":
            await self.raw(b"0\r\n\r\n")

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self.connection.write(data)

    async def hang(self) -> None:
        """Do nothing more until the client goes away."""
        await self.connection.gone.wait()

    async def cut(self, how: Literal["fin", "rst"] = "fin") -> None:
        """Break the connection off."""
        transport = self.connection.transport
        assert transport is not None
        if how == "rst":
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            transport.abort()
        transport.close()
        await self.connection.gone.wait()


Handler = Callable[[Exchange], Awaitable[None]]


@dataclass
class Server:
    """What a test looks at. `gone` is set as soon as one client has closed its connection."""

    handler: Handler
    tasks: TaskGroup
    url: str = ""
    connections: int = 0
    requests: list[Request] = field(default_factory=list)
    gone: anyio.Event = field(default_factory=anyio.Event)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@asynccontextmanager
async def serve(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    async with anyio.create_task_group() as tasks:
        server = Server(handler, tasks)
        made: list[Connection] = []

        def connect() -> Connection:
            made.append(Connection(server))
            return made[-1]

        listener = await asyncio.get_running_loop().create_server(connect, "127.0.0.1", 0, ssl=tls)
        port = listener.sockets[0].getsockname()[1]
        server.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        try:
            yield server
        finally:
            listener.close()
            tasks.cancel_scope.cancel()
            for connection in made:
                if connection.transport is not None:
                    connection.transport.abort()
            with anyio.CancelScope(shield=True):
                await asyncio.sleep(0)


@contextmanager
def running(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(serve(handler, tls)) as server:
        yield server


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Handler:
    """Answer every request with the same JSON (or bytes)."""

    async def handler(exchange: Exchange) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        await exchange.respond(status, JSON | (headers or {}), data)

    return handler


def events(*pieces: bytes, framing: Framing = "chunked", headers: dict[str, str] | None = None) -> Handler:
    """Answer every request with the same event stream, piece by piece."""

    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, EVENT_STREAM | (headers or {}), framing)
        for piece in pieces:
            await exchange.send(piece)
        await exchange.end()

    return handler


def in_turn(*handlers: Handler) -> Handler:
    """Answer the first request with the first handler, and so on; the last one stays."""

    async def handler(exchange: Exchange) -> None:
        await handlers[min(exchange.number, len(handlers) - 1)](exchange)

    return handler


def by_path(**handlers: Handler) -> Handler:
    """Answer by the last segment of the path; 404 for any other."""

    async def handler(exchange: Exchange) -> None:
        name = exchange.request.path.partition("?")[0].rpartition("/")[2]
        await handlers.get(name, answer({"error": {"message": "no such page"}}, 404))(exchange)

    return handler


def certificate(folder: Path, name: str = "localhost", days: int = 1, issuer: Path | None = None) -> Path:
    """Write a certificate and its key to one file; negative `days` make it one that has expired.

    It is signed by the authority whose certificate and key are in `issuer`, or by itself.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    end = datetime.now(UTC) + timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.load_pem_x509_certificate(issuer.read_bytes()).subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=2))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(_signing_key(issuer) if issuer else key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}-{days}.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def _signing_key(pem: Path) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(pem.read_bytes(), None)


def tls_context(pem: Path) -> ssl.SSLContext:
    """Return the server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context

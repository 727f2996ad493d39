"""HTTP/1.1 straight to the server, over connections that are kept for the next question."""

import asyncio
import re
from collections.abc import AsyncIterator
from functools import lru_cache
from types import TracebackType
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from sidecar.engines.connection import Connection, NotHttp, Unanswered
from sidecar.engines.failures import CONNECT_ERRORS, answer_failure, connect_failure, no_answer, no_http, unsendable
from sidecar.engines.kept import Kept
from sidecar.engines.received import Received
from sidecar.engines.sockets import dial, dial_loopback, probe, resolve
from sidecar.engines.transport import Incoming, Outgoing
from sidecar.engines.trust import Trust
from sidecar.providers.origins import host_and_port, is_loopback_address, origin_of

READ_BYTES: Final = 64 << 10

# https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 and #section-5.5, of which what lies beyond ASCII is left out.
NAMES: Final = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+,)*")
VALUES: Final = re.compile(r"[\t -~]*")


class Route(Struct, frozen=True):
    """Where a URL leads to. `host` is as written there, and as the server is told."""

    origin: str
    address: tuple[str, int]
    host: str
    target: str


@lru_cache(maxsize=64)
def route_of(url: str) -> Route:
    """Take a URL apart."""
    origin, parts = origin_of(url), urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return Route(origin, host_and_port(url), parts.netloc, f"{parts.path or '/'}{query}")


def head_of(request: Outgoing, route: Route) -> bytes:
    """Return a request's head; raise where a header would not be one."""
    headers = request.headers
    if not NAMES.fullmatch(",".join([*headers, ""])) or not VALUES.fullmatch(" ".join(headers.values())):
        raise unsendable()
    lines = [f"{request.method} {route.target} HTTP/1.1", f"host: {route.host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if request.body is not None:
        lines.append(f"content-length: {len(request.body)}")
    lines.append("\r\n")
    return "\r\n".join(lines).encode("ascii")


class Direct:
    """Carries requests to servers that are reached without a proxy."""

    def __init__(self, trust: Trust) -> None:
        self.kept = Kept()
        self._trust = trust
        self._buffer = memoryview(bytearray(READ_BYTES))

    def open(self, request: Outgoing) -> "Exchange":
        """Return what sends `request` when entered."""
        return Exchange(self, request, route_of(request.url))

    async def connect(self, request: Outgoing) -> Connection:
        """Return a new connection for `request`."""
        route = route_of(request.url)
        context = await self._trust.context() if route.origin.startswith("https:") else None
        reach = dial_loopback if request.loopback else dial
        try:
            _, connection = await reach(lambda: Connection(route.origin, self._buffer), route.address, context)
        except CONNECT_ERRORS as error:
            raise connect_failure(error, route.host) from None
        return connection

    async def resolve(self, url: str) -> None:
        """Look up the server's name."""
        await resolve(url)

    async def reach(self, url: str) -> None:
        """Open a connection to the server, and close it."""
        await probe(url)

    async def secure(self, url: str) -> None:
        """Open a TLS connection to the server, and close it."""
        await probe(url, await self._trust.context())

    async def close(self) -> None:
        """Close the idle connections; those in use end with their exchange."""
        self.kept.clear()
        await asyncio.sleep(0)


class Exchange:
    """Sends a request on entry and frees its connection on exit."""

    def __init__(self, pool: Direct, request: Outgoing, route: Route) -> None:
        self._pool = pool
        self._request = request
        self._route = route
        self._told = False
        self._connection: Connection

    async def __aenter__(self) -> Incoming:
        head, host = head_of(self._request, self._route), self._route.host
        try:
            return await self._ask_again(head) or await self._ask(head, await self._pool.connect(self._request))
        except Unanswered:
            raise no_answer(host) from None
        except NotHttp:
            raise no_http(host) from None

    async def _ask_again(self, head: bytes) -> Incoming | None:
        """Ask over a kept connection; None where there is none, or the server was just closing it."""
        connection = self._pool.kept.take(self._route.origin)
        if connection is None:
            return None
        if self._request.loopback and not is_loopback_address(connection.peer):
            connection.abort()
            return None
        try:
            return await self._ask(head, connection)
        except Unanswered as loss:
            if loss.unheard or self._request.body is None:
                return None
            raise

    async def _ask(self, head: bytes, connection: Connection) -> Incoming:
        self._connection, reply = connection, connection.reply
        try:
            if await connection.send(head, self._request.body or b"") and not self._told:
                self._told = True
                await self._request.sent()
            await connection.answered()
        except BaseException:
            connection.abort()
            raise
        return Received(reply.status, reply.headers, _Body(connection, self._route.host))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        if self._connection.is_free:
            self._pool.kept.put(self._connection)
        else:
            self._connection.abort()


class _Body:
    """The body of an answer. All that is there is handed on at once, so that it is looked at once."""

    def __init__(self, connection: Connection, host: str) -> None:
        self._connection = connection
        self._host = host

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        connection = self._connection
        while not (data := connection.take()):
            if self.exhausted:
                raise StopAsyncIteration
            if connection.ended:
                raise answer_failure(self._host)
            await connection.change()
        return data

    @property
    def exhausted(self) -> bool:
        return self._connection.reply.complete

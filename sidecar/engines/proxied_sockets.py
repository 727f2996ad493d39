"""Sockets for the library that speaks with proxies: a read takes no timer, no lock and one system call."""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, Final, cast

from httpcore2 import (
    SOCKET_OPTION,
    AsyncNetworkBackend,
    AsyncNetworkStream,
    ConnectError,
    ReadError,
    WriteError,
)

from sidecar.engines.failures import CONNECT_ERRORS
from sidecar.engines.sleep import SleepWatch
from sidecar.engines.sockets import READ_AHEAD, dial, wake

HEAD_BYTES: Final = 16 << 10
"""The largest write that is held back to leave together with the next: a request's head, with its body."""


class Connection(asyncio.Protocol, AsyncNetworkStream):
    """One TCP or TLS connection. The deadlines of the caller are its own: `timeout` is not looked at."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._received = bytearray()
        self._head = b""
        self._ended = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._blocked = False
        self._watch = SleepWatch()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        wake(self._reader)
        if len(self._received) >= READ_AHEAD:
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error = True, exc
        wake(self._reader)
        wake(self._writer)

    def pause_writing(self) -> None:
        self._blocked = True

    def resume_writing(self) -> None:
        self._blocked = False
        wake(self._writer)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the base's signature
        del timeout
        self._flush(b"")
        while not self._received:
            if self._ended:
                if self._error is not None:
                    raise ReadError(self._error)
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._take(max_bytes)

    def _take(self, max_bytes: int) -> bytes:
        received = self._received
        full = len(received) >= READ_AHEAD
        data = bytes(received[:max_bytes])
        del received[:max_bytes]
        if full and len(received) < READ_AHEAD and not self._ended:
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the base's signature
        del timeout
        if not self._head and len(buffer) <= HEAD_BYTES:
            self._head = buffer
            return
        self._flush(buffer)
        while self._blocked and not self._ended:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer
        if self._ended:
            raise WriteError(self._error or "The connection is closed.")

    def _flush(self, rest: bytes) -> None:
        head, self._head = self._head, b""
        if self._ended:
            return
        if len(rest) <= READ_AHEAD:
            head, rest = b"", head + rest
        for data in (head, rest):
            if data:
                self._transport.write(data)

    async def aclose(self) -> None:
        """Close at once; whoever calls this is through with both directions."""
        self._transport.abort()
        await asyncio.sleep(0)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the base's signature
    ) -> AsyncNetworkStream:
        del timeout
        loop, plain = asyncio.get_running_loop(), self._transport
        try:
            secured = await loop.start_tls(plain, self, ssl_context, server_hostname=server_hostname)
        except OSError as error:
            raise ConnectError(error) from error
        self._transport = cast("asyncio.Transport", secured)
        return self

    def get_extra_info(self, info: str) -> Any:
        """Answer what the pool asks: an idle connection is readable only when the other side has closed it.

        After the machine has slept it is taken to have been closed, as nothing would tell.
        """
        if info == "is_readable":
            return self._ended or bool(self._received) or self._watch.slept()
        return self._transport.get_extra_info(info)


class AsyncioBackend(AsyncNetworkBackend):
    """Opens connections."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the base's signature
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        del timeout, local_address, socket_options
        try:
            _, connection = await dial(Connection, (host, port))
        except CONNECT_ERRORS as error:
            raise ConnectError(error) from error
        return connection

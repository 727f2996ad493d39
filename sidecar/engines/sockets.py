"""Opens TCP and TLS connections, trying the addresses of a server side by side. https://www.rfc-editor.org/rfc/rfc8305"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final, TypeVar

from sidecar.engines.failures import CONNECT_ERRORS, connect_failure, elsewhere
from sidecar.providers.origins import host_and_port, is_loopback_address

READ_AHEAD: Final = 256 << 10
"""Bytes received but not yet read at which the kernel is left to hold the rest."""

HAPPY_EYEBALLS_SECONDS: Final = 0.25

KEEPALIVE: Final = tuple(
    (level, getattr(socket, name), value)
    for level, name, value in (
        (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 60),
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 15),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", 4),
    )
    if hasattr(socket, name)
)
"""Finds out within two minutes that the other side is gone, while a model thinks or after the machine has slept."""

Made = TypeVar("Made", bound=asyncio.BaseProtocol)


async def dial(
    make: Callable[[], Made], address: tuple[str, int], context: ssl.SSLContext | None = None
) -> tuple[asyncio.Transport, Made]:
    """Return an open connection, encrypted where there is a `context`; raise one of `CONNECT_ERRORS`."""
    transport, protocol = await asyncio.get_running_loop().create_connection(
        make,
        *address,
        ssl=context,
        server_hostname=address[0] if context is not None else None,
        happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS,
    )
    raw = transport.get_extra_info("socket")
    for level, option, value in KEEPALIVE:
        raw.setsockopt(level, option, value)
    return transport, protocol


async def dial_loopback(
    make: Callable[[], Made], address: tuple[str, int], context: ssl.SSLContext | None = None
) -> tuple[asyncio.Transport, Made]:
    """Do as `dial`, but raise `privacy_blocked` before anything is sent where the other end is another machine."""
    transport, protocol = await dial(make, address)
    if not is_loopback_address(peer_of(transport)):
        transport.abort()
        raise elsewhere(address[0])
    if context is not None:
        loop = asyncio.get_running_loop()
        secured = await loop.start_tls(transport, protocol, context, server_hostname=address[0])
        assert secured is not None
        transport = secured
        protocol.connection_made(transport)
    return transport, protocol


def peer_of(transport: asyncio.BaseTransport) -> str:
    """Return the address of the other end; of one that has gone by now there may be none."""
    name = transport.get_extra_info("peername")
    return str(name[0]) if name else ""


async def resolve(url: str) -> None:
    """Look up the name of the server at `url`."""
    host, port = host_and_port(url)
    try:
        await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except CONNECT_ERRORS as error:
        raise connect_failure(error, host) from None


async def probe(url: str, context: ssl.SSLContext | None = None) -> None:
    """Open a connection to the server at `url`, and close it."""
    host, port = host_and_port(url)
    try:
        transport, _ = await dial(asyncio.Protocol, (host, port), context)
    except CONNECT_ERRORS as error:
        raise connect_failure(error, f"{host}:{port}") from None
    transport.abort()
    await asyncio.sleep(0)


def wake(waiter: "asyncio.Future[None] | None") -> None:
    """Let go on whoever waits for something to change, if anybody does."""
    if waiter is not None and not waiter.done():
        waiter.set_result(None)

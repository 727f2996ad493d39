"""The seam to the network: open a request, read its answer in pieces, close.

Deadlines and retries belong to the middleware.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Protocol

from msgspec import Struct


async def nothing() -> None:
    """Do nothing on being told that a request is sent."""


class Outgoing(Struct, frozen=True, kw_only=True):
    """A request: a POST, or without a body a GET. `sent` is called once all of it is on its way.

    With `loopback` it goes to this machine itself or nowhere, whatever its server's name leads to.
    """

    url: str
    headers: dict[str, str]
    body: bytes | None = None
    sent: Callable[[], Awaitable[None]] = nothing
    loopback: bool = False

    @property
    def method(self) -> str:
        """What HTTP calls it."""
        return "GET" if self.body is None else "POST"


class Incoming(Protocol):
    """An answer, its body still to be read. Header names are in lower case; `chunks` are decompressed."""

    status: int
    headers: dict[str, str]

    @property
    def chunks(self) -> AsyncIterator[bytes]: ...

    async def read(self, bound: int) -> bytes:
        """Return the body, cut at `bound` bytes."""
        ...

    async def drain(self) -> None:
        """Read what little may be left, so that the connection can be used again; wait for it only a moment."""
        ...


class Opening(Protocol):
    """Sends a request on entry and frees the connection on exit; network failures leave it as `SidecarError`."""

    async def __aenter__(self) -> Incoming: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class Transport(Protocol):
    """Carries requests. `resolve`, `reach` and `secure` try the steps towards a server one by one, for a diagnosis."""

    def open(self, request: Outgoing) -> Opening: ...
    async def resolve(self, url: str) -> None: ...
    async def reach(self, url: str) -> None: ...
    async def secure(self, url: str) -> None: ...
    async def close(self) -> None: ...

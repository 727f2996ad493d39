"""One request and its answer over the pool of connections to a proxy."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from functools import lru_cache
from types import TracebackType
from typing import Final, Protocol, cast
from urllib.parse import urlsplit

import httpcore2

from sidecar.engines.failures import answer_failure, connect_failure, no_answer, no_http, unsendable
from sidecar.engines.received import Received
from sidecar.engines.transport import Incoming, Outgoing
from sidecar.schema.errors import SidecarError

TRANSPORT_ERRORS: Final = (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError)

PROXY_LOGIN: Final = 407

Chunks = AsyncGenerator[bytes, None]
PoolGetter = Callable[[], Awaitable[httpcore2.AsyncConnectionPool]]


class Exchange:
    """Sends a request on entry and frees its connection on exit."""

    def __init__(self, pool: PoolGetter, request: Outgoing) -> None:
        self._pool = pool
        self._request = request
        self._body: _Body

    async def __aenter__(self) -> Incoming:
        host = urlsplit(self._request.url).netloc
        pool = await self._pool()
        try:
            response = await pool.handle_async_request(_encode(self._request))
        except TRANSPORT_ERRORS as error:
            raise request_failure(error, host) from None
        self._body = _Body(response, host)
        if response.status == PROXY_LOGIN:
            await self._body.close()
            raise login_needed()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        return Received(response.status, headers, self._body)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        await self._body.close()


class _PooledBody(Protocol):
    """What the pool gives out as the body of a response."""

    def __aiter__(self) -> Chunks: ...
    async def aclose(self) -> None: ...


class _Body:
    """The body of an answer; closing it before its end closes the connection."""

    def __init__(self, response: httpcore2.Response, host: str) -> None:
        self.exhausted = False
        self._host = host
        self._pooled = cast("_PooledBody", response.stream)
        self._raw = aiter(self._pooled)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._raw)
        except StopAsyncIteration:
            self.exhausted = True
            raise
        except TRANSPORT_ERRORS:
            raise answer_failure(self._host) from None

    async def close(self) -> None:
        await self._raw.aclose()
        await self._pooled.aclose()


class _Question:
    """A request's body that tells when it has been sent."""

    def __init__(self, request: Outgoing) -> None:
        self._request = request

    async def __aiter__(self) -> Chunks:
        yield self._request.body or b""
        await self._request.sent()


@lru_cache(maxsize=64)
def _parse(url: str) -> tuple[httpcore2.URL, bytes]:
    """Return a URL as the pool takes it, and its `host` header."""
    return httpcore2.URL(url), urlsplit(url).netloc.encode()


def _encode(request: Outgoing) -> httpcore2.Request:
    url, host = _parse(request.url)
    try:
        headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in request.headers.items()]
    except UnicodeEncodeError:
        raise unsendable() from None
    headers.append((b"host", host))
    if request.body is not None:
        headers.append((b"content-length", b"%d" % len(request.body)))
    return httpcore2.Request(request.method.encode(), url, headers=headers, content=_Question(request))


def request_failure(error: Exception, host: str) -> SidecarError:
    """Say why a request got no answer."""
    match error:
        case httpcore2.ProxyError():
            known = not str(error).startswith(str(PROXY_LOGIN))
            return SidecarError("proxy", "The proxy refused to connect.") if known else login_needed()
        case httpcore2.ConnectError():
            failure = connect_failure(error, host)
            unreached = failure.type in ("dns", "connect")
            return SidecarError("proxy", "The proxy could not be reached.") if unreached else failure
        case httpcore2.LocalProtocolError():
            return unsendable()
        # The library's own words are for a connection that ended early; an error inside is of bytes that are no HTTP.
        case httpcore2.RemoteProtocolError(args=(Exception(), *_)):
            return no_http(host)
        case _:
            return no_answer(host)


def login_needed() -> SidecarError:
    """Say that the proxy does not know us."""
    return SidecarError("proxy", "The proxy asks for a user name and a password.", retryable=False)

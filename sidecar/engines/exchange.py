"""One request and its answer over a pool of connections."""

import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import lru_cache
from types import TracebackType
from typing import Final, Protocol, cast
from urllib.parse import urlsplit

import anyio
import httpcore2

from sidecar.engines.failures import (
    TRANSPORT_ERRORS,
    answer_failure,
    login_needed,
    proxied_failure,
    request_failure,
    unsendable,
)
from sidecar.engines.transport import Incoming, Outgoing
from sidecar.schema.errors import SidecarError

DRAIN_SECONDS: Final = 0.05
DRAIN_BYTES: Final = 64 << 10
INFLATED_BYTES: Final = 64 << 10
"""The most that one piece of a compressed body grows to."""

PROXY_LOGIN: Final = 407

Chunks = AsyncGenerator[bytes, None]
PoolGetter = Callable[[], Awaitable[httpcore2.AsyncConnectionPool]]


class _PooledBody(Protocol):
    """What the pool gives out as the body of a response."""

    def __aiter__(self) -> Chunks: ...
    async def aclose(self) -> None: ...


class Exchange:
    """Sends a request on entry and frees its connection on exit."""

    def __init__(self, pool: PoolGetter, request: Outgoing, proxy: str | None) -> None:
        self._pool = pool
        self._request = request
        self._proxy = proxy
        self._answer: _Answer | None = None

    async def __aenter__(self) -> Incoming:
        try:
            pool = await self._pool()
            response = await pool.handle_async_request(_encode(self._request))
        except TRANSPORT_ERRORS as error:
            explain = proxied_failure if self._proxy else request_failure
            raise explain(error, self._host) from None
        self._answer = _Answer(response, self._host)
        if response.status == PROXY_LOGIN and self._proxy:
            await self._answer.close()
            raise login_needed()
        return self._answer

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        assert self._answer is not None
        await self._answer.close()
        if isinstance(error, TRANSPORT_ERRORS):
            raise answer_failure(self._host) from None

    @property
    def _host(self) -> str:
        return urlsplit(self._request.url).netloc


class _Answer:
    """What came back; closing it before its end closes the connection."""

    def __init__(self, response: httpcore2.Response, host: str) -> None:
        self.status = response.status
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        self._host = host
        self._body = cast("_PooledBody", response.stream)
        self._raw = aiter(self._body)
        encoding = self.headers.get("content-encoding", "identity").strip().lower()
        self.chunks: Chunks = self._raw if encoding == "identity" else _inflate(self._raw, encoding)

    async def read(self, bound: int) -> bytes:
        pieces: list[bytes] = []
        try:
            async for chunk in self.chunks:
                pieces.append(chunk)
                bound -= len(chunk)
                if bound < 0:
                    break
        except TRANSPORT_ERRORS:
            raise answer_failure(self._host) from None
        body = b"".join(pieces)
        return body if bound >= 0 else body[:bound]

    async def drain(self) -> None:
        left = DRAIN_BYTES
        with anyio.move_on_after(DRAIN_SECONDS):
            try:
                async for chunk in self._raw:
                    left -= len(chunk)
                    if left < 0:
                        return
            except TRANSPORT_ERRORS:
                return

    async def close(self) -> None:
        await self.chunks.aclose()
        await self._raw.aclose()
        await self._body.aclose()


async def _inflate(raw: Chunks, encoding: str) -> Chunks:
    """Yield what `raw` holds compressed, in pieces of bounded size."""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise SidecarError("malformed_response", "The answer is compressed in a way that was not offered.")
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    async for chunk in raw:
        rest, data = chunk, b"-"
        while rest or len(data) == INFLATED_BYTES:
            try:
                data = inflater.decompress(rest, INFLATED_BYTES)
            except zlib.error:
                raise SidecarError("malformed_response", "The compressed answer is damaged.") from None
            rest = inflater.unconsumed_tail
            if data:
                yield data


class _Body:
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
    return httpcore2.Request(request.method.encode(), url, headers=headers, content=_Body(request))

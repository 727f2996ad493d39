"""HTTP/1.1 through a proxy, over the core of httpx2, whose client would add cookies and redirects."""

from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import httpcore2

from sidecar.engines.proxied_exchange import Exchange
from sidecar.engines.proxied_sockets import AsyncioBackend
from sidecar.engines.sockets import probe, resolve
from sidecar.engines.transport import Opening, Outgoing
from sidecar.engines.trust import Trust
from sidecar.providers.origins import origin_of, proxy_address
from sidecar.schema.errors import SidecarError

if TYPE_CHECKING:
    import ssl

KEPT_CONNECTIONS: Final = 20
"""Idle ones; the pool looks at each of them at every request."""

KEPT_SECONDS: Final = 60.0

PROXY_HINT: Final = "Check the proxy that the sidecar is started with."


class Proxied:
    """Carries requests through the proxy at `url`, an http or https URL, which may hold a login."""

    def __init__(self, url: str, trust: Trust) -> None:
        parts = urlsplit(url)
        self._address = proxy_address(url)
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._trust = trust
        self._pools: dict[str, httpcore2.AsyncConnectionPool] = {}

    def open(self, request: Outgoing) -> Opening:
        """Return what sends `request` when entered."""
        return Exchange(partial(self._pool, request.url.partition(":")[0].lower()), request)

    async def _pool(self, scheme: str) -> httpcore2.AsyncConnectionPool:
        if scheme not in self._pools:
            made = self._make_pool(await self._context(scheme), await self._context(self._address.partition(":")[0]))
            self._pools.setdefault(scheme, made)
        return self._pools[scheme]

    async def _context(self, scheme: str) -> "ssl.SSLContext | None":
        return await self._trust.context() if scheme == "https" else None

    def _make_pool(
        self, context: "ssl.SSLContext | None", to_proxy: "ssl.SSLContext | None"
    ) -> httpcore2.AsyncConnectionPool:
        return httpcore2.AsyncConnectionPool(
            ssl_context=context,
            proxy=httpcore2.Proxy(self._address, auth=self._login, ssl_context=to_proxy),
            max_connections=None,
            max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=AsyncioBackend(),
        )

    async def resolve(self, url: str) -> None:
        """Look up the proxy's name."""
        del url
        await _told_of_the_proxy(resolve(self._address))

    async def reach(self, url: str) -> None:
        """Open a connection to the proxy, and close it."""
        del url
        await _told_of_the_proxy(probe(self._address))

    async def secure(self, url: str) -> None:
        """Have the proxy lead to the server, and ask for its first page: there is no trusted way without a question."""
        try:
            async with self.open(Outgoing(url=f"{origin_of(url)}/", headers={})):
                pass
        except SidecarError as error:
            if error.type in ("tls", "proxy"):
                raise

    async def close(self) -> None:
        """Close all connections."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()


async def _told_of_the_proxy(step: Awaitable[None]) -> None:
    try:
        await step
    except SidecarError as error:
        raise SidecarError("proxy", f"The proxy is the trouble: {error.message}", hint=PROXY_HINT) from None

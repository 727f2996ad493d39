"""HTTP/1.1 with kept connections, over the core of httpx2, whose client would add cookies and redirects."""

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import anyio
from msgspec import Struct

from sidecar.engines.transport import Opening, Outgoing
from sidecar.providers.origins import host_and_port, is_loopback

if TYPE_CHECKING:
    import ssl

    import httpcore2

KEPT_CONNECTIONS: Final = 20
"""Idle ones; the pool looks at each of them at every request."""

KEPT_SECONDS: Final = 60.0


class _Proxy(Struct, frozen=True):
    """A proxy, its address apart from its secrets."""

    address: str
    login: tuple[str, str] | None

    @classmethod
    def parse(cls, url: str) -> "_Proxy":
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        host_and_port(address)
        login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        return cls(address, login)


class HttpTransport:
    """Carries requests. Makes a TLS context once, and only when an https URL is used.

    `proxy` is an http or https URL; this machine is never proxied. `ca_file` is trusted beside the system's own
    authorities.
    """

    def __init__(self, proxy: str | None = None, ca_file: str | None = None) -> None:
        self._proxy = _Proxy.parse(proxy) if proxy else None
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        self._pools: dict[tuple[str, str | None], httpcore2.AsyncConnectionPool] = {}

    def load(self, url: str) -> None:
        """Load, from any thread, what the first request to `url` needs."""
        import_module("sidecar.engines.exchange")
        self._pool(url)

    def open(self, request: Outgoing) -> Opening:
        """Return what sends `request` when entered."""
        from sidecar.engines.exchange import Exchange

        return Exchange(partial(self._ready_pool, request.url), request, self._proxy_for(request.url))

    async def _ready_pool(self, url: str) -> "httpcore2.AsyncConnectionPool":
        """Return the pool; where there is none yet, its TLS context is made in a thread."""
        if self._route(url) not in self._pools:
            from anyio import to_thread

            await to_thread.run_sync(self.load, url)
        return self._pools[self._route(url)]

    def _route(self, url: str) -> tuple[str, str | None]:
        return url.partition(":")[0].lower(), self._proxy_for(url)

    def _proxy_for(self, url: str) -> str | None:
        """Return the address of the proxy on the way to `url`, if any."""
        return None if self._proxy is None or is_loopback(url) else self._proxy.address

    def _pool(self, url: str) -> "httpcore2.AsyncConnectionPool":
        route = self._route(url)
        return self._pools.get(route) or self._pools.setdefault(route, self._make_pool(*route))

    def _make_pool(self, scheme: str, proxy: str | None) -> "httpcore2.AsyncConnectionPool":
        import httpcore2

        from sidecar.engines.sockets import AsyncioBackend

        return httpcore2.AsyncConnectionPool(
            ssl_context=self._tls() if scheme == "https" else None,
            proxy=self._make_proxy() if proxy else None,
            max_connections=None,
            max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=AsyncioBackend(),
        )

    def _make_proxy(self) -> "httpcore2.Proxy":
        import httpcore2

        assert self._proxy is not None
        context = self._tls() if self._proxy.address.startswith("https") else None
        return httpcore2.Proxy(self._proxy.address, auth=self._proxy.login, ssl_context=context)

    def _tls(self) -> "ssl.SSLContext":
        """Return the TLS context: the system's authorities, or those that `SSL_CERT_FILE` names."""
        if self._context is None:
            import httpcore2

            context = httpcore2.default_ssl_context()
            if self._ca_file is not None:
                context.load_verify_locations(self._ca_file)
            self._context = context
        return self._context

    async def resolve(self, url: str) -> None:
        """Look up the server's name, or the proxy's."""
        from sidecar.engines.failures import connect_failure

        host, port = host_and_port(self._proxy_for(url) or url)
        try:
            await anyio.getaddrinfo(host, port)
        except OSError as error:
            raise connect_failure(error, host) from None

    async def reach(self, url: str) -> None:
        """Open a connection to the server, or to the proxy, and close it."""
        await self._dial(self._proxy_for(url) or url, None)

    async def secure(self, url: str) -> None:
        """Open a TLS connection to the server and close it; behind a proxy only a request can tell."""
        if self._proxy_for(url) is None:
            await self._dial(url, self._tls())

    async def _dial(self, url: str, context: "ssl.SSLContext | None") -> None:
        from sidecar.engines.failures import TRANSPORT_ERRORS, connect_failure
        from sidecar.engines.sockets import AsyncioBackend

        host, port = host_and_port(url)
        try:
            connection = await AsyncioBackend().connect_tcp(host, port)
            try:
                if context is not None:
                    await connection.start_tls(context, host)
            finally:
                await connection.aclose()
        except TRANSPORT_ERRORS as error:
            raise connect_failure(error, f"{host}:{port}") from None

    async def close(self) -> None:
        """Close all connections."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

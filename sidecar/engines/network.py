"""Requests over HTTP/1.1, straight to a server or through a proxy."""

from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.engines.direct import Direct
from sidecar.engines.transport import Opening, Outgoing, Transport
from sidecar.engines.trust import Trust
from sidecar.providers.origins import is_loopback

if TYPE_CHECKING:
    from sidecar.engines.proxied import Proxied


class HttpTransport:
    """Carries requests. `proxy` is an http or https URL; this machine is never proxied.

    `ca_file` is trusted beside the system's own authorities.
    """

    def __init__(self, proxy: str | None = None, ca_file: Path | None = None) -> None:
        self._trust = Trust(ca_file)
        self._direct = Direct(self._trust)
        self._proxied = _proxied(proxy, self._trust) if proxy else None

    def _way_to(self, url: str) -> Transport:
        if self._proxied is None or is_loopback(url):
            return self._direct
        return self._proxied

    def open(self, request: Outgoing) -> Opening:
        """Return what sends `request` when entered."""
        way = self._direct if request.loopback else self._way_to(request.url)
        return way.open(request)

    async def resolve(self, url: str) -> None:
        """Look up the server's name, or the proxy's."""
        await self._way_to(url).resolve(url)

    async def reach(self, url: str) -> None:
        """Open a connection to the server, or to the proxy, and close it."""
        await self._way_to(url).reach(url)

    async def secure(self, url: str) -> None:
        """Open a TLS connection to the server and close it; behind a proxy only a request can tell."""
        await self._way_to(url).secure(url)

    async def close(self) -> None:
        """Close all connections."""
        await self._direct.close()
        if self._proxied is not None:
            await self._proxied.close()


def _proxied(proxy: str, trust: Trust) -> "Proxied":
    from sidecar.engines.proxied import Proxied

    return Proxied(proxy, trust)

"""Asking for a file where it lies: over redirects, which hubs point to their stores with."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit

from msgspec import Struct

from sidecar import __version__
from sidecar.engines.transport import Incoming, Outgoing, Transport
from sidecar.providers.hub import DIGEST_HEADER
from sidecar.providers.origins import is_encrypted, is_loopback, origin_of
from sidecar.schema.errors import SidecarError
from sidecar.schema.secret import Secret

MAX_REDIRECTS: Final = 5
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
DIGEST_DIGITS: Final = 64
HEADERS: Final = {"user-agent": f"llm-sidecar/{__version__}", "accept": "*/*", "accept-encoding": "identity"}

FindKey = Callable[[str], Awaitable[Secret | None]]
"""Returns the key that may go to an origin, if there is one."""


class Remote(Struct, frozen=True):
    """A file's answer, its body still to be read. `digest` is the SHA-256 that the hub gives, if it does."""

    answer: Incoming
    digest: str | None
    host: str


def checked_url(url: str) -> str:
    """Return a URL that a model may be fetched from, or raise `invalid_params`."""
    origin_of(url)
    if not is_encrypted(url) and not is_loopback(url):
        raise SidecarError("invalid_params", "Models are fetched over https:// only.", param="url")
    return urldefrag(url).url


class Remotes:
    """Asks for files. What `find_key` gives goes to the first server alone, whoever that points to."""

    def __init__(self, transport: Transport, find_key: FindKey) -> None:
        self._transport = transport
        self._find_key = find_key

    @asynccontextmanager
    async def open(self, url: str, headers: dict[str, str]) -> AsyncGenerator[Remote, None]:
        """Give the answer of whoever has the file."""
        key = await self._find_key(origin_of(url))
        login = {"authorization": f"Bearer {key.reveal()}"} if key else {}
        digest = None
        for _ in range(MAX_REDIRECTS + 1):
            request = Outgoing(url=url, headers=HEADERS | headers | login, loopback=not is_encrypted(url))
            async with self._transport.open(request) as answer:
                digest = digest or _digest(answer.headers)
                if answer.status not in REDIRECTS:
                    yield Remote(answer, digest, urlsplit(url).netloc)
                    return
                goal = _redirected(url, answer.headers)
                await answer.drain()
            if origin_of(goal) != origin_of(url):
                login = {}
            url = goal
        raise SidecarError("download_failed", f"{urlsplit(url).netloc} redirects without end.", retryable=False)


def _redirected(url: str, headers: dict[str, str]) -> str:
    """Return where a server points to; never from an encrypted place to another, nor from elsewhere to this machine."""
    host, goal = urlsplit(url).netloc, urljoin(url, headers.get("location", ""))
    try:
        origin = origin_of(goal)
    except SidecarError:
        message = f"{host} redirects to an address that cannot be read."
        raise SidecarError("download_failed", message, retryable=False) from None
    unsafe = (is_encrypted(url) and not is_encrypted(goal)) or (is_loopback(goal) and not is_loopback(url))
    if unsafe or not (is_encrypted(goal) or is_loopback(goal)):
        message = f"{host} redirects to {origin}, which is not safe to follow."
        raise SidecarError("origin_not_allowed", message)
    return urldefrag(goal).url


def _digest(headers: dict[str, str]) -> str | None:
    """Return the digest in a header; small files have one of another kind there."""
    text = headers.get(DIGEST_HEADER, "").removeprefix("W/").strip('"').lower()
    return text if len(text) == DIGEST_DIGITS and set(text) <= set("0123456789abcdef") else None

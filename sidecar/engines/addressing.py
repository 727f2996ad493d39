"""What goes out to a provider: the address, who we are, and the key in the one header that it belongs in."""

import re
from collections.abc import Awaitable, Callable
from typing import Final, Literal
from urllib.parse import urlsplit

from sidecar import __version__
from sidecar.dialects.contract import HttpRequest
from sidecar.engines.failures import elsewhere
from sidecar.engines.transport import Outgoing, nothing
from sidecar.handler import Target
from sidecar.providers.origins import (
    host_and_port,
    is_encrypted,
    is_loopback,
    is_loopback_address,
    is_private_channel,
    origin_of,
)
from sidecar.providers.record import Place
from sidecar.schema.errors import SidecarError

PlainHttp = Literal["refuse", "allow"]
"""Whether a key may be sent unencrypted to another machine."""

USER_AGENT: Final = f"llm-sidecar/{__version__}"
FRAMING_HEADERS: Final = frozenset({"host", "connection", "content-length", "transfer-encoding"})
PASTED: Final = re.compile(
    r"/(chat/completions|completions|responses|messages|embeddings|models(/[^/]+)?|api/(chat|generate|embed|tags))$"
)
"""The paths of single methods, as documentation shows them behind the address."""

# Compression would hold back events until a block is full; a list of models is worth compressing.
STREAM_HEADERS: Final = {
    "user-agent": USER_AGENT,
    "accept": "text/event-stream, application/json",
    "accept-encoding": "identity",
    "content-type": "application/json",
}
READ_HEADERS: Final = {"user-agent": USER_AGENT, "accept": "application/json", "accept-encoding": "gzip"}


class Addressing:
    """Makes the requests to providers: the one place where keys are written into requests.

    What a target holds goes to the origin of its endpoint, for which the key was found, and to no other.
    """

    def __init__(self, plain_http: PlainHttp) -> None:
        self._plain_http: PlainHttp = plain_http

    def post(self, target: Target, request: HttpRequest, sent: Callable[[], Awaitable[None]] = nothing) -> Outgoing:
        """Return a question whose answer may be streamed."""
        url, headers, loopback = self._address(target, request.path)
        return Outgoing(
            url=url,
            headers=STREAM_HEADERS | request.headers | headers,
            body=request.body,
            sent=sent,
            loopback=loopback,
        )

    def get(self, target: Target, path: str) -> Outgoing:
        """Return a request for something to read."""
        url, headers, loopback = self._address(target, path)
        return Outgoing(url=url, headers=READ_HEADERS | headers, loopback=loopback)

    def _address(self, target: Target, path: str) -> tuple[str, dict[str, str], bool]:
        """Return the URL, the headers, and whether they may go to this machine alone, whatever its name leads to."""
        url = target.provider.url(Place(target.config, target.endpoint, target.model), path)
        _stay(origin_of(target.endpoint), url)
        if target.local_only and not is_loopback(url):
            raise elsewhere(urlsplit(url).netloc)
        secrets = _secrets(target)
        guarded = bool(secrets) and self._plain_http == "refuse"
        if guarded and not is_private_channel(url):
            raise SidecarError(
                "origin_not_allowed",
                f"The key is not sent to {urlsplit(url).netloc} without encryption.",
                hint="Use https:// in base_url, or allow plain http when the sidecar is started.",
            )
        named = guarded and not is_encrypted(url) and not is_loopback_address(host_and_port(url)[0])
        return url, target.provider.headers(target.config) | secrets, target.local_only or named


def _stay(origin: str, url: str) -> None:
    """Raise `origin_not_allowed` where a URL leads away from an origin."""
    if origin_of(url) != origin:
        message = f"A request for {origin} would have gone to {origin_of(url)}, which was sent nothing."
        raise SidecarError("origin_not_allowed", message)


def _secrets(target: Target) -> dict[str, str]:
    record, headers = target.provider, target.config.headers
    secrets: dict[str, str] = {}
    if target.key:
        key = target.key.reveal().strip()
        if record.bearer_prefixes and key.startswith(record.bearer_prefixes):
            secrets["authorization"] = f"Bearer {key}"
        else:
            secrets[record.key_header] = record.key_prefix + key
    for name, value in headers.items():
        if name.lower() in FRAMING_HEADERS:
            raise SidecarError("invalid_params", f"The header {name} cannot be set.")
        secrets[name.lower()] = value.reveal()
    return secrets


def redirected(url: str, headers: dict[str, str]) -> str:
    """Return where the server at `url` points to; raise `origin_not_allowed` where that is another server."""
    from urllib.parse import urljoin

    host, goal = urlsplit(url).netloc, urljoin(url, headers.get("location", ""))
    try:
        origin = origin_of(goal)
    except SidecarError:
        raise SidecarError("malformed_response", f"{host} redirects to an address that cannot be read.") from None
    if origin != origin_of(url):
        hint = "If that is the right server, write its address in base_url."
        raise SidecarError("origin_not_allowed", f"{host} redirects to {origin}, which was sent nothing.", hint=hint)
    return goal


def address_hint(base_url: str) -> str | None:
    """Say what may be wrong with an address at which nothing was found."""
    parts = urlsplit(base_url)
    path = parts.path.rstrip("/")
    if pasted := PASTED.search(path):
        return f"base_url ends before {pasted[0]}: {parts.scheme}://{parts.netloc}{path[: pasted.start()]}"
    segments = path.split("/")
    if not any(segment[:1] == "v" and segment[1:2].isdigit() for segment in segments):
        return f"base_url may lack its version: {parts.scheme}://{parts.netloc}{path}/v1"
    return None

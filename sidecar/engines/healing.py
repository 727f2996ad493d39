"""What may be wrong with an address at which a step failed: other ones, tried without a key before they are told."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from sidecar.engines.failures import NotTls
from sidecar.engines.transport import Transport
from sidecar.handler import Target
from sidecar.providers.origins import host_and_port, is_loopback, origin_of
from sidecar.schema.errors import ErrorType, SidecarError

TWINS: Final = {"127.0.0.1": "[::1]", "::1": "127.0.0.1"}
"""The addresses of this machine, in the two versions of the protocol; `localhost` leads to both."""

NO_ANSWERS: Final[frozenset[ErrorType]] = frozenset({"malformed_response", "connect", "request_rejected"})
"""What a server that expects encryption does to a question without."""


async def elsewhere_here(transport: Transport, target: Target) -> str | None:
    """Say where something listens on this machine, if it does not where it was looked for."""
    url, record = target.endpoint, target.provider
    if not is_loopback(url):
        return None
    host, port = host_and_port(url)
    if host in TWINS:
        twin = _with(url, netloc=f"{TWINS[host]}:{port}")
        if await _answers(transport, twin):
            return f"Something listens at the other address of this machine: {twin}"
    usual = record.base_url
    if usual and is_loopback(usual) and origin_of(usual) != origin_of(url) and await _answers(transport, usual):
        return f"Something listens where {record.name} usually does: {usual}"
    return f"Is the server running? Nothing listens at {urlsplit(url).netloc}."


async def with_encryption(transport: Transport, url: str, failure: SidecarError) -> str | None:
    """Say that the server speaks TLS, if that is why it did not answer."""
    if urlsplit(url).scheme != "http" or failure.type not in NO_ANSWERS:
        return None
    host, port = host_and_port(url)
    encrypted = _with(url, scheme="https", netloc=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    try:
        await transport.secure(encrypted)
    except SidecarError as error:
        if error.type != "tls" or isinstance(error, NotTls):
            return None
    return f"The server expects encryption on this port: {encrypted}"


def without_encryption(url: str, failure: SidecarError) -> str | None:
    """Say which address has no encryption where there is none; beyond this machine that is nothing to advise."""
    if isinstance(failure, NotTls) and is_loopback(url):
        return f"The server has no encryption on this port: {_with(url, scheme='http')}"
    return None


async def _answers(transport: Transport, url: str) -> bool:
    try:
        await transport.reach(url)
    except SidecarError:
        return False
    return True


def _with(url: str, **parts: str) -> str:
    return urlunsplit(urlsplit(url)._replace(**parts))

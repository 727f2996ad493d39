"""Whom a URL leads to. https://www.rfc-editor.org/rfc/rfc6454"""

from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from sidecar.schema.errors import SidecarError
from sidecar.schema.secret import Secret

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@lru_cache(maxsize=256)
def _split(url: str) -> SplitResult:
    if not url.isascii() or any(character <= " " or character in "\\\x7f" for character in url):
        raise SidecarError("invalid_params", "An address may hold neither spaces nor anything beyond ASCII.")
    try:
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.port == 0:
            raise _not_a_server()
    except ValueError:
        raise _not_a_server() from None
    if "@" in parts.netloc:
        raise SidecarError("invalid_params", "An address must not hold a user name or a password.")
    return parts


def _not_a_server() -> SidecarError:
    return SidecarError("invalid_params", "An address must begin with http:// or https:// and name a server.")


def host_and_port(url: str) -> tuple[str, int]:
    """Return the server's name, in lower case, and its port."""
    parts = _split(url)
    return parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]


def origin_of(url: str) -> str:
    """Return `scheme://host:port` in lower case, the scheme's own port left out.

    Raise `SidecarError("invalid_params")` for what is no http or https URL and for one with a user name.
    """
    parts = _split(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    own_port = parts.port in (None, DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{host}" if own_port else f"{parts.scheme}://{host}:{parts.port}"


@lru_cache(maxsize=256)
def is_loopback(url: str) -> bool:
    """Tell whether `url` leads to this machine."""
    host = host_and_port(url)[0].rstrip(".")
    return host == "localhost" or host.endswith(".localhost") or is_loopback_address(host)


def is_loopback_address(text: str) -> bool:
    """Tell whether `text` is an address of this machine's own, seen from within."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_encrypted(url: str) -> bool:
    """Tell whether what is sent to `url` is unreadable on its way."""
    return url[:6].lower() == "https:"


def is_private_channel(url: str) -> bool:
    """Tell whether a secret sent to `url` stays unread on its way: it is encrypted, or never leaves this machine."""
    return is_encrypted(url) or is_loopback(url)


def proxy_address(url: str) -> str:
    """Return a proxy's URL without the login that it may hold; raise `invalid_params` where it is not http or https."""
    scheme, separator, rest = url.partition("://")
    address = f"{scheme}{separator}{rest.partition('/')[0].rpartition('@')[2]}"
    host_and_port(address)
    return address


def proxy_password(url: str) -> Secret:
    """Return the password in a proxy's URL; an empty one where there is none."""
    return Secret(unquote(urlsplit(url).password or ""))

"""What a key is for, and what a key may look like."""

import re
from typing import Final

from msgspec import Struct

from sidecar.schema.errors import SidecarError
from sidecar.schema.secret import Secret

TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
MAX_KEY_LENGTH: Final = 16_384
MAX_NAME_LENGTH: Final = 200


class Binding(Struct, frozen=True):
    """A key of `provider` that goes to the servers at `origin` and nowhere else."""

    provider: str
    origin: str

    @property
    def username(self) -> str:
        """The name of the keychain item."""
        return f"{self.provider}@{self.origin}"


def checked_key(secret: Secret) -> Secret:
    """Return the key without the white space around it, or raise `invalid_params` when no header could carry it."""
    value = secret.reveal().strip()
    if not value:
        raise SidecarError("invalid_params", "The API key is empty.", param="api_key")
    if len(value) > MAX_KEY_LENGTH:
        raise SidecarError("invalid_params", "The API key is too long.", param="api_key")
    if not _fits_header(value):
        message = "The API key holds line breaks, or characters beyond ASCII."
        raise SidecarError("invalid_params", message, param="api_key")
    return Secret(value)


def checked_header(name: str, secret: Secret) -> str:
    """Return the name of the header, or raise `invalid_params` when it cannot be sent with this value."""
    if not TOKEN.fullmatch(name):
        raise SidecarError("invalid_params", "The name of a header cannot be sent.", param="headers")
    if not _fits_header(secret.reveal()):
        message = f"The header {name} holds line breaks, or characters beyond ASCII."
        raise SidecarError("invalid_params", message, param="headers")
    return name


def _fits_header(value: str) -> bool:
    return value.isascii() and value.isprintable()


def checked_name(name: str, param: str) -> str:
    """Return the provider's id, or raise `invalid_params` when it cannot be one."""
    if not name.strip() or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        message = f"A provider's id has 1 to {MAX_NAME_LENGTH} printable characters."
        raise SidecarError("invalid_params", message, param=param)
    return name

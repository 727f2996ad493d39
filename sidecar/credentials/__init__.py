"""API keys: kept in the operating system's keychain, bound to the servers that they are for."""

from sidecar.credentials.binding import Binding, checked_header, checked_key, checked_name
from sidecar.credentials.keychain import KEYCHAIN_ERRORS
from sidecar.credentials.store import Credentials
from sidecar.credentials.vault import Loader, Vault, VaultKind

__all__ = [
    "KEYCHAIN_ERRORS",
    "Binding",
    "Credentials",
    "Loader",
    "Vault",
    "VaultKind",
    "checked_header",
    "checked_key",
    "checked_name",
]

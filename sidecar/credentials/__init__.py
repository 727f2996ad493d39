"""API keys: kept in the operating system's keychain, bound to the servers that they are for."""

from sidecar.credentials.binding import Binding, checked_key
from sidecar.credentials.keychain import KEYCHAIN_ERRORS
from sidecar.credentials.store import Credentials
from sidecar.credentials.vault import Loader, Vault

__all__ = ["KEYCHAIN_ERRORS", "Binding", "Credentials", "Loader", "Vault", "checked_key"]

"""The operating system's keychain, whichever it is: never a file in plain text. https://keyring.readthedocs.io/"""

from collections.abc import Callable
from contextlib import closing
from typing import Final, Protocol

from msgspec import Struct

from sidecar.schema.errors import ErrorType, SidecarError

NO_KEYCHAIN_HINT: Final = (
    "Start one: on Linux that is GNOME Keyring, KWallet or KeePassXC. "
    "Without one, give the key in the provider's configuration, or start the sidecar with --key-env."
)
PROBE: Final = "probe"
"""The name of an item that there never is."""


class Backend(Protocol):
    """As much of a `keyring` backend as is used here."""

    def get_password(self, service: str, username: str, /) -> str | None: ...
    def set_password(self, service: str, username: str, password: str, /) -> None: ...
    def delete_password(self, service: str, username: str, /) -> None: ...


class VaultKind(Struct, frozen=True):
    """A kind of keychain that is trusted with keys.

    `max_bytes` is the room for one key in UTF-16; `locked` is what its "locked" means: macOS says so when the person at
    the screen refuses. `asleep` tells whether it is locked without asking anybody to unlock it, where that can be told.
    """

    name: str
    max_bytes: int | None = None
    locked: ErrorType = "keyring_locked"
    asleep: Callable[[], bool] | None = None


def _collection_is_locked() -> bool:
    """Tell whether the Secret Service gives no keys now; one that has no place for keys yet counts as locked."""
    import secretstorage
    from secretstorage.exceptions import ItemNotFoundException

    with closing(secretstorage.dbus_init()) as bus:
        try:
            return secretstorage.Collection(bus).is_locked()
        except ItemNotFoundException:
            return True


KINDS: Final = {
    "keyring.backends.SecretService": VaultKind("Secret Service", asleep=_collection_is_locked),
    "keyring.backends.libsecret": VaultKind("libsecret"),
    "keyring.backends.kwallet": VaultKind("KWallet"),
    "keyring.backends.macOS": VaultKind("macOS Keychain", locked="keyring_denied"),
    # CRED_MAX_CREDENTIAL_BLOB_SIZE: https://learn.microsoft.com/windows/win32/api/wincred/ns-wincred-credentiala
    "keyring.backends.Windows": VaultKind("Windows Credential Manager", max_bytes=2560),
}


class Vault(Struct, frozen=True):
    """A keychain that is ready for use, by one thread at a time."""

    backend: Backend
    kind: VaultKind

    def asleep(self, service: str) -> bool:
        """Tell whether it is locked, if possible without a dialog; else raise what keeps it from being used."""
        if self.kind.asleep is not None:
            return self.kind.asleep()
        self.backend.get_password(service, PROBE)
        return False

    def set(self, service: str, username: str, password: str) -> None:
        """Keep the password, or raise `invalid_params` when there is no room for one so long."""
        limit = self.kind.max_bytes
        if limit is not None and len(password.encode("utf-16-le")) > limit:
            message = f"The API key is too long: the {self.kind.name} holds {limit // 2} characters."
            raise SidecarError("invalid_params", message, param="api_key")
        self.backend.set_password(service, username, password)

    def delete(self, service: str, username: str) -> bool:
        """Tell whether there was a password to delete; there is none any more."""
        if self.backend.get_password(service, username) is None:
            return False
        self.backend.delete_password(service, username)
        return True


Loader = Callable[[], Vault]


def system_vault() -> Vault:
    """Return the system's keychain, or raise `keyring_unavailable` when there is none, or only an unsafe one."""
    import keyring
    from keyring.backends.chainer import ChainerBackend

    backend = keyring.get_keyring()
    candidates = ChainerBackend.backends if isinstance(backend, ChainerBackend) else [backend]
    for candidate in candidates:
        if kind := KINDS.get(type(candidate).__module__):
            return Vault(candidate, kind)
    raise _refusal(type(backend).__module__)


def _refusal(module: str) -> SidecarError:
    if module.startswith("keyring.backends."):
        return SidecarError("keyring_unavailable", "This system has no working keychain.", hint=NO_KEYCHAIN_HINT)
    message = "The only keychain of this system keeps its keys in a file of unknown safety, so it is not used."
    return SidecarError("keyring_unavailable", message, hint=NO_KEYCHAIN_HINT)

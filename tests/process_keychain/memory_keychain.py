"""A keychain in the memory of the process that loads it, which takes it for one of those that are trusted."""

from keyring.backend import KeyringBackend


class Keyring(KeyringBackend):
    """Loaded by the name in `PYTHON_KEYRING_BACKEND`."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.items.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.items[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.items[service, username]


Keyring.__module__ = "keyring.backends.libsecret"

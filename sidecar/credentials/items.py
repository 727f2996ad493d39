"""Keychain items and the list of them, changed together. These run in the keychain's thread."""

from collections.abc import Iterable, Mapping

from sidecar.credentials.binding import Binding
from sidecar.credentials.index import Index
from sidecar.credentials.vault import Vault
from sidecar.schema.secret import Secret


def store(index: Index, service: str, saves: Mapping[Binding, int], secret: Secret, vault: Vault) -> None:
    """Keep the key under each binding; `saves` numbers them."""
    with index.editing() as bindings:
        for binding, number in saves.items():
            vault.set(service, binding.username, secret.reveal())
            bindings[binding] = number


def erase(index: Index, service: str, gone: Iterable[Binding], vault: Vault) -> bool:
    """Delete the keys; tell whether there was one."""
    with index.editing() as bindings:
        deleted = [vault.delete(service, binding.username) for binding in gone]
        for binding in gone:
            bindings.pop(binding, None)
    return any(deleted)


def fetch(index: Index, service: str, binding: Binding, vault: Vault) -> str | None:
    """Return the key; one that is gone is taken off the list."""
    value = vault.backend.get_password(service, binding.username)
    if value is None:
        with index.editing() as bindings:
            # Another process may have saved it since: it holds the lock from the key to the list.
            value = vault.backend.get_password(service, binding.username)
            if value is None:
                bindings.pop(binding, None)
    return value

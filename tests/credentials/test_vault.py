from typing import Any

import keyring
import pytest
from keychains import FAKE, WINDOWS, FakeBackend
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as FailKeyring
from keyring.backends.null import Keyring as NullKeyring

from sidecar.credentials.vault import KINDS, NO_KEYCHAIN_HINT, Vault, system_vault
from sidecar.schema.errors import SidecarError


def backend_from(module: str) -> Any:
    """Make a backend that seems to come from `module`."""
    members = {"priority": 5, **dict.fromkeys(("get_password", "set_password", "delete_password"), lambda *_: None)}
    registered = set(KeyringBackend._classes)
    kind = type("Keyring", (KeyringBackend,), {"__module__": module, **members})
    KeyringBackend._classes.intersection_update(registered)
    return kind()


@pytest.mark.parametrize("module", KINDS)
def test_the_systems_own_keychains_are_used(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    backend = backend_from(module)
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    assert system_vault() == Vault(backend, KINDS[module])


@pytest.mark.parametrize("module", ["keyrings.alt.file", "keyrings.cryptfile.cryptfile", "somewhere.else"])
def test_keychains_that_are_files_are_refused(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend_from(module))
    with pytest.raises(SidecarError) as caught:
        system_vault()
    assert caught.value.type == "keyring_unavailable"
    assert caught.value.details == {"hint": NO_KEYCHAIN_HINT}


@pytest.mark.parametrize("kind", [FailKeyring, NullKeyring])
def test_a_system_without_a_keychain_says_so(monkeypatch: pytest.MonkeyPatch, kind: type) -> None:
    monkeypatch.setattr(keyring, "get_keyring", kind)
    with pytest.raises(SidecarError) as caught:
        system_vault()
    assert caught.value.type == "keyring_unavailable"
    assert caught.value.message == "This system has no working keychain."


def test_of_several_keychains_the_first_trusted_one_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    backends = [backend_from("keyrings.alt.file"), backend_from("keyring.backends.kwallet"), backend_from("else.where")]
    monkeypatch.setattr(ChainerBackend, "backends", backends)
    monkeypatch.setattr(keyring, "get_keyring", ChainerBackend)
    assert system_vault() == Vault(backends[1], KINDS["keyring.backends.kwallet"])


def test_windows_has_no_room_for_a_very_long_key() -> None:
    backend = FakeBackend()
    vault = Vault(backend, WINDOWS)
    vault.set("app", "name", "k" * 1280)
    with pytest.raises(SidecarError) as caught:
        vault.set("app", "name", "x" * 1281)
    assert caught.value.type == "invalid_params"
    assert caught.value.message == "The API key is too long: the Windows Credential Manager holds 1280 characters."
    assert backend.items == {("app", "name"): "k" * 1280}


def test_other_keychains_have_room() -> None:
    backend = FakeBackend()
    Vault(backend, FAKE).set("app", "name", "k" * 5000)
    assert backend.items == {("app", "name"): "k" * 5000}


def test_deleting_tells_whether_there_was_something() -> None:
    backend = FakeBackend()
    vault = Vault(backend, FAKE)
    vault.set("app", "name", "k")
    assert [vault.delete("app", "name"), vault.delete("app", "name")] == [True, False]

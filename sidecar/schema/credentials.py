"""API keys in the operating system's keychain."""

from typing import Literal

from msgspec import Struct

from sidecar.schema.secret import Secret

State = Literal["ok", "locked", "unavailable", "denied", "unknown"]


class KeychainState(Struct, frozen=True, omit_defaults=True):
    """Whether keys can be kept. `unknown` until the keychain is first used."""

    state: State
    backend: str | None = None
    hint: str | None = None


class SaveCredential(Struct, frozen=True):
    """A key for a provider. It is sent only to the origin of `base_url`, or else to the provider's own origins."""

    provider: str
    api_key: Secret
    base_url: str | None = None


class CredentialChoice(Struct, frozen=True):
    """A provider's key; `base_url` says which, where the provider has several."""

    provider: str
    base_url: str | None = None


class SavedCredential(Struct, frozen=True, omit_defaults=True):
    """A key that is kept, without the key."""

    provider: str
    masked: str
    origins: list[str]


class CredentialState(Struct, frozen=True, omit_defaults=True):
    """Whether a key is kept, and as much of it as may be shown."""

    exists: bool
    masked: str | None = None
    origins: list[str] = []


class CredentialInfo(Struct, frozen=True):
    """A provider with a key in the keychain."""

    provider: str
    has_api_key: bool
    origins: list[str]


class CredentialList(Struct, frozen=True):
    """The providers with keys, and the state of the keychain."""

    credentials: list[CredentialInfo]
    keychain: KeychainState


class Deleted(Struct, frozen=True):
    """Whether there was a key to delete."""

    deleted: bool

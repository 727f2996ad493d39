"""Provider configurations, as the host gives them, and what it is told about them."""

from typing import Any, Literal

from msgspec import Struct

from sidecar.schema.credentials import KeychainState
from sidecar.schema.errors import ErrorObject
from sidecar.schema.policies import Fallbacks, RateLimits
from sidecar.schema.secret import Secret
from sidecar.schema.usage import Cost, Usage


class BaseConfig(Struct, frozen=True, kw_only=True, tag_field="provider", omit_defaults=True):
    """What every configuration may say. `id` names the instance and defaults to the provider's name.

    `fallback` is for requests that name none themselves.
    """

    id: str | None = None
    model: str | None = None
    api_key: Secret | None = None
    base_url: str | None = None
    headers: dict[str, Secret] = {}
    fallback: Fallbacks = []
    rate_limits: RateLimits | None = None

    @property
    def kind(self) -> str:
        """The provider's name, as in the tag."""
        return str(self.__struct_config__.tag)


KeySource = Literal["config", "memory", "keychain", "environment", "none"]


class KeyInfo(Struct, frozen=True, omit_defaults=True):
    """Where the key comes from, and as much of it as may be shown: of a saved key nothing until it was used."""

    source: KeySource
    masked: str | None = None


class ProviderChoice(Struct, frozen=True):
    """A provider id; for methods that need one."""

    provider: str


class OptionalProvider(Struct, frozen=True):
    """A provider id, or the active provider when left out."""

    provider: str | None = None


class ConfiguredProvider(Struct, frozen=True, omit_defaults=True):
    """A configuration as it now stands, without its secrets."""

    provider: str
    kind: str
    key: KeyInfo
    model: str | None = None
    base_url: str | None = None


class ActiveProvider(Struct, frozen=True):
    """The active provider, or null."""

    active: ConfiguredProvider | None


class Removed(Struct, frozen=True):
    """Whether there was something to remove."""

    removed: bool


class ProviderInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A provider that can be used, or a configured instance of one."""

    id: str
    kind: str
    name: str
    configured: bool
    active: bool
    local: bool
    needs_key: bool
    key: KeyInfo
    model: str | None = None
    base_url: str | None = None
    capabilities: dict[str, Any] = {}


class ProviderList(Struct, frozen=True):
    """All providers, and the state of the keychain."""

    providers: list[ProviderInfo]
    keychain: KeychainState


StageName = Literal["config", "dns", "tcp", "tls", "http", "auth", "model", "engine", "file", "answer"]


class TestStage(Struct, frozen=True, omit_defaults=True):
    """One step of the diagnosis."""

    stage: StageName
    ok: bool
    ms: int
    error: ErrorObject | None = None
    hint: str | None = None


class TestResult(Struct, frozen=True, omit_defaults=True):
    """The stages in order, up to the first that failed. A failing provider is a result, not an error.

    `usage` and `cost` are those of the question that was asked with `probe`.
    """

    ok: bool
    provider: str
    stages: list[TestStage]
    url: str | None = None
    model: str | None = None
    usage: Usage | None = None
    cost: Cost | None = None

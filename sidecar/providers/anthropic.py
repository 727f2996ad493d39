"""Anthropic. https://platform.claude.com/docs/en/api/overview"""

from typing import Final

from msgspec import field
from msgspec.structs import replace

from sidecar.dialects.traits import ModelTraits
from sidecar.providers.record import CHAT_AND_COUNTS, Place, Provider
from sidecar.schema.providers import BaseConfig

STRICT_VERSION: Final = "2026-10-21"
"""From this version on no model may be told how to choose its words."""


class AnthropicConfig(BaseConfig, frozen=True, kw_only=True, tag="anthropic"):
    """Anthropic. `betas` are features to be turned on, `workspace_id` says which workspace is to be billed."""

    api_version: str = "2023-06-01"
    betas: list[str] = field(default_factory=list[str])
    workspace_id: str | None = None


def versioned_url(place: Place, path: str) -> str:
    """Return the address of `path`, which names its version itself."""
    return place.base_url.rstrip("/").removesuffix("/v1") + path


def version_headers(config: AnthropicConfig) -> dict[str, str]:
    """Name the version of the API, its features beyond that, and the workspace."""
    named = {
        "anthropic-version": config.api_version,
        "anthropic-beta": ",".join(config.betas),
        "anthropic-workspace-id": config.workspace_id,
    }
    return {name: value for name, value in named.items() if value}


def traits(config: AnthropicConfig, model: str) -> ModelTraits:
    """Return what a model takes under a version of the API."""
    from sidecar.providers.anthropic_models import traits_of

    found = traits_of(model)
    return replace(found, sampling="never") if config.api_version >= STRICT_VERSION else found


ANTHROPIC: Final = Provider(
    id="anthropic",
    name="Anthropic",
    config=AnthropicConfig,
    offers=CHAT_AND_COUNTS,
    dialect="anthropic_messages",
    base_url="https://api.anthropic.com",
    key_env="ANTHROPIC_API_KEY",
    key_header="x-api-key",
    key_prefix="",
    bearer_prefixes=("sk-ant-oat",),
    url=versioned_url,
    headers=version_headers,
    traits=traits,
)

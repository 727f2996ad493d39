"""Azure OpenAI. https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle"""

from typing import Final
from urllib.parse import quote, urlsplit

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import ModelTraits
from sidecar.providers.openai import SPOKEN, Api, OpenAIConfig
from sidecar.providers.record import DialectName, Place, Provider
from sidecar.schema.chat import ChatRequest
from sidecar.schema.providers import BaseConfig


class AzureConfig(BaseConfig, frozen=True, kw_only=True, tag="azure"):
    """Azure OpenAI. `model` is the deployment's name.

    `base_url` is the resource (`https://NAME.openai.azure.com`) or its `/openai/v1`; with `api_version` the legacy
    deployment paths are used, which know Chat Completions only. `api` is `chat` for deployments that do so, too.
    """

    api: Api = "responses"
    api_version: str | None = None


HOSTS: Final = (".openai.azure.com", ".services.ai.azure.com")

DEPLOYMENT_PATHS: Final = ("/chat/completions", "/completions", "/embeddings")
"""What the legacy API keeps below a deployment; all else lies beside them."""


def is_azure(base_url: str | None) -> bool:
    """Tell whether an address is an Azure resource's."""
    return (urlsplit(base_url or "").hostname or "").endswith(HOSTS)


def resource_url(place: Place, path: str) -> str:
    """Return the v1 address of `path`, or, where an API version is configured, the legacy one."""
    resource = place.base_url.rstrip("/").removesuffix("/v1").removesuffix("/openai")
    version = getattr(place.config, "api_version", None)
    if version is None:
        return f"{resource}/openai/v1{path}"
    deployment = f"/deployments/{quote(place.model, safe='')}" if path in DEPLOYMENT_PATHS else ""
    return f"{resource}/openai{deployment}{path}?api-version={quote(version, safe='')}"


def choose_dialect(config: AzureConfig | OpenAIConfig, request: ChatRequest | None) -> DialectName:
    """Return the dialect of the API that is configured."""
    del request
    return SPOKEN[_api(config)]


def traits(config: AzureConfig | OpenAIConfig, model: str) -> ModelTraits:
    """Return what a deployment takes, as far as its name tells of which model it is."""
    from sidecar.providers import openai_models

    return openai_models.on_chat(model) if _api(config) == "chat" else openai_models.on_responses(model)


def _api(config: AzureConfig | OpenAIConfig) -> Api:
    return "chat" if getattr(config, "api_version", None) is not None else config.api


AZURE: Final = Provider(
    id="azure",
    name="Azure OpenAI",
    config=AzureConfig,
    dialect="openai_responses",
    choose_dialect=choose_dialect,
    key_env="AZURE_OPENAI_API_KEY",
    origin_env="AZURE_OPENAI_ENDPOINT",
    key_header="api-key",
    key_prefix="",
    bearer_prefixes=("eyJ",),
    lists_all_models=False,
    url=resource_url,
    quirks=ChatQuirks(max_tokens_field="max_completion_tokens", developer_role=True),
    traits=traits,
)

"""Azure OpenAI. https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle"""

from typing import Final
from urllib.parse import quote, urlsplit

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Place, Provider
from sidecar.schema.providers import AzureConfig

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


AZURE: Final = Provider(
    id="azure",
    name="Azure OpenAI",
    config=AzureConfig,
    key_env="AZURE_OPENAI_API_KEY",
    origin_env="AZURE_OPENAI_ENDPOINT",
    key_header="api-key",
    key_prefix="",
    lists_all_models=False,
    url=resource_url,
    quirks=ChatQuirks(max_tokens_field="max_completion_tokens", developer_role=True),
)

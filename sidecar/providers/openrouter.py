"""OpenRouter. https://openrouter.ai/docs/api-reference/overview"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Provider
from sidecar.schema.providers import OpenRouterConfig


def app_headers(config: OpenRouterConfig) -> dict[str, str]:
    """Say which app is asking, for the rankings."""
    named = {"http-referer": config.site_url, "x-openrouter-title": config.app_name}
    return {name: value for name, value in named.items() if value}


OPENROUTER: Final = Provider(
    id="openrouter",
    name="OpenRouter",
    config=OpenRouterConfig,
    base_url="https://openrouter.ai/api/v1",
    key_env="OPENROUTER_API_KEY",
    key_path="/key",
    headers=app_headers,
    quirks=ChatQuirks(
        stream_usage=False,
        reasoning_object=True,
        reasoning_echo="reasoning",
        top_k=True,
        cost_field=True,
        cache_control=True,
    ),
)

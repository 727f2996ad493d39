"""OpenRouter. https://openrouter.ai/docs/api-reference/overview"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Provider
from sidecar.schema.providers import BaseConfig


class OpenRouterConfig(BaseConfig, frozen=True, kw_only=True, tag="openrouter"):
    """OpenRouter. `site_url` and `app_name` are how the app appears in its rankings."""

    site_url: str | None = None
    app_name: str | None = None


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
    lists_prices=True,
    headers=app_headers,
    quirks=ChatQuirks(
        top_k=True,
        require_parameters=True,
        cache_control=True,
        document_urls=True,
        audio_formats=frozenset({"wav", "mp3", "aiff", "aac", "ogg", "flac", "m4a"}),
        videos=True,
        reasoning="object",
        reasoning_echo="reasoning",
        stream_usage=False,
        cost_field=True,
        base64_vectors=True,
    ),
)

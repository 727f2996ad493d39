"""Perplexity. https://docs.perplexity.ai/api-reference/chat-completions-post"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import ModelTraits
from sidecar.providers.record import CHAT, Provider
from sidecar.schema.providers import BaseConfig


class PerplexityConfig(BaseConfig, frozen=True, kw_only=True, tag="perplexity"):
    """Perplexity."""


SEARCHING: Final = ModelTraits(json_object=False, efforts=(), thinks_aloud=True)
RESEARCHING: Final = ModelTraits(json_object=False, efforts=("minimal", "low", "medium", "high"), thinks_aloud=True)


def traits(config: PerplexityConfig, model: str) -> ModelTraits:
    """Return what a model takes."""
    del config
    return RESEARCHING if "deep-research" in model else SEARCHING


PERPLEXITY: Final = Provider(
    id="perplexity",
    name="Perplexity",
    config=PerplexityConfig,
    offers=CHAT,
    base_url="https://api.perplexity.ai",
    key_env="PERPLEXITY_API_KEY",
    models_path="/v1/models",
    lists_all_models=False,
    quirks=ChatQuirks(
        seed_field=None,
        top_k=True,
        tools=False,
        parallel_tool_calls=False,
        order="turns",
        stream_usage=False,
        cost_field=True,
    ),
    traits=traits,
)

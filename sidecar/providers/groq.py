"""Groq. https://console.groq.com/docs/api-reference"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import ModelTraits
from sidecar.providers.record import CHAT, Provider
from sidecar.schema.providers import BaseConfig


class GroqConfig(BaseConfig, frozen=True, kw_only=True, tag="groq"):
    """Groq."""


def traits(config: GroqConfig, model: str) -> ModelTraits:
    """Return what a model takes."""
    from sidecar.providers.groq_models import traits_of

    del config
    return traits_of(model)


GROQ: Final = Provider(
    id="groq",
    name="Groq",
    config=GroqConfig,
    offers=CHAT,
    base_url="https://api.groq.com/openai/v1",
    key_env="GROQ_API_KEY",
    quirks=ChatQuirks(max_tokens_field="max_completion_tokens", parsed_reasoning=True),
    traits=traits,
)

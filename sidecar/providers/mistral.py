"""Mistral. https://docs.mistral.ai/api"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Provider
from sidecar.schema.providers import MistralConfig

MISTRAL: Final = Provider(
    id="mistral",
    name="Mistral",
    config=MistralConfig,
    base_url="https://api.mistral.ai/v1",
    key_env="MISTRAL_API_KEY",
    quirks=ChatQuirks(
        seed_field="random_seed",
        required_tool_choice="any",
        stream_usage=False,
        nine_character_ids=True,
    ),
)

"""Mistral. https://docs.mistral.ai/api"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import ModelTraits
from sidecar.providers.record import Provider, every_model
from sidecar.schema.providers import BaseConfig


class MistralConfig(BaseConfig, frozen=True, kw_only=True, tag="mistral"):
    """Mistral."""


MISTRAL: Final = Provider(
    id="mistral",
    name="Mistral",
    config=MistralConfig,
    base_url="https://api.mistral.ai/v1",
    key_env="MISTRAL_API_KEY",
    quirks=ChatQuirks(
        seed_field="random_seed",
        required_tool_choice="any",
        nine_character_ids=True,
        order="bridged",
        documents="document_url",
        document_urls=True,
        audio="string",
        stream_usage=False,
    ),
    traits=every_model(ModelTraits(files=frozenset({"image", "document", "audio"}))),
)

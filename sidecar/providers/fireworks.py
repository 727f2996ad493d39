"""Fireworks AI. https://docs.fireworks.ai/api-reference/post-chatcompletions"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Provider
from sidecar.schema.providers import BaseConfig


class FireworksConfig(BaseConfig, frozen=True, kw_only=True, tag="fireworks"):
    """Fireworks AI."""


FIREWORKS: Final = Provider(
    id="fireworks",
    name="Fireworks AI",
    config=FireworksConfig,
    base_url="https://api.fireworks.ai/inference/v1",
    key_env="FIREWORKS_API_KEY",
    lists_all_models=False,
    quirks=ChatQuirks(top_k=True, reasoning_echo="reasoning_content"),
)

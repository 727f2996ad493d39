"""Cerebras. https://inference-docs.cerebras.ai/api-reference/chat-completions"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import CHAT, Provider
from sidecar.schema.providers import BaseConfig


class CerebrasConfig(BaseConfig, frozen=True, kw_only=True, tag="cerebras"):
    """Cerebras."""


CEREBRAS: Final = Provider(
    id="cerebras",
    name="Cerebras",
    config=CerebrasConfig,
    offers=CHAT,
    base_url="https://api.cerebras.ai/v1",
    key_env="CEREBRAS_API_KEY",
    quirks=ChatQuirks(max_tokens_field="max_completion_tokens", penalties=False),
)

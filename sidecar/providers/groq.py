"""Groq. https://console.groq.com/docs/api-reference"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Provider
from sidecar.schema.providers import GroqConfig

GROQ: Final = Provider(
    id="groq",
    name="Groq",
    config=GroqConfig,
    base_url="https://api.groq.com/openai/v1",
    key_env="GROQ_API_KEY",
    quirks=ChatQuirks(max_tokens_field="max_completion_tokens"),
)

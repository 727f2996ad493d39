"""Ollama. https://docs.ollama.com/api/openai-compatibility"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Provider
from sidecar.schema.providers import OllamaConfig

OLLAMA: Final = Provider(
    id="ollama",
    name="Ollama",
    config=OllamaConfig,
    base_url="http://127.0.0.1:11434/v1",
    needs_key=False,
    local=True,
    free=True,
    quirks=ChatQuirks(image_urls=False, parallel_tool_calls=False),
)

"""vLLM. https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Provider
from sidecar.schema.providers import VLLMConfig

VLLM: Final = Provider(
    id="vllm",
    name="vLLM",
    config=VLLMConfig,
    base_url="http://127.0.0.1:8000/v1",
    needs_key=False,
    local=True,
    free=True,
    quirks=ChatQuirks(top_k=True),
)

"""LM Studio. https://lmstudio.ai/docs/developer/openai-compat"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Provider
from sidecar.schema.providers import LMStudioConfig

LMSTUDIO: Final = Provider(
    id="lmstudio",
    name="LM Studio",
    config=LMStudioConfig,
    base_url="http://127.0.0.1:1234/v1",
    needs_key=False,
    local=True,
    free=True,
    quirks=ChatQuirks(image_urls=False, top_k=True),
)

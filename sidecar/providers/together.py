"""Together AI. https://docs.together.ai/reference/chat-completions-1"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Provider
from sidecar.schema.providers import TogetherConfig

TOGETHER: Final = Provider(
    id="together",
    name="Together AI",
    config=TogetherConfig,
    base_url="https://api.together.xyz/v1",
    key_env="TOGETHER_API_KEY",
    quirks=ChatQuirks(top_k=True),
)

"""DeepSeek. https://api-docs.deepseek.com"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Provider
from sidecar.schema.providers import DeepSeekConfig

DEEPSEEK: Final = Provider(
    id="deepseek",
    name="DeepSeek",
    config=DeepSeekConfig,
    base_url="https://api.deepseek.com",
    key_env="DEEPSEEK_API_KEY",
    quirks=ChatQuirks(json_schema=False, reasoning_echo="reasoning_content", image_urls=False, thinking_switch=True),
)

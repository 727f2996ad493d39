"""DeepSeek. https://api-docs.deepseek.com"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import EFFORTS, ModelTraits
from sidecar.providers.record import CHAT, Provider, every_model
from sidecar.schema.providers import BaseConfig


class DeepSeekConfig(BaseConfig, frozen=True, kw_only=True, tag="deepseek"):
    """DeepSeek."""


TRAITS: Final = ModelTraits(
    sampling="unless_reasoning",
    efforts=EFFORTS,
    default_effort="high",
    forced_tools=False,
    structured="prompt",
)
"""The models think unless told not to; while they think, no tool can be made a must."""

DEEPSEEK: Final = Provider(
    id="deepseek",
    name="DeepSeek",
    config=DeepSeekConfig,
    offers=CHAT,
    base_url="https://api.deepseek.com",
    key_env="DEEPSEEK_API_KEY",
    quirks=ChatQuirks(
        image_urls=False,
        reasoning="switch",
        reasoning_echo="reasoning_content",
        reasoning_echo_required=True,
    ),
    traits=every_model(TRAITS),
)

"""Together AI. https://docs.together.ai/reference/chat-completions-1"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import ModelTraits
from sidecar.providers.record import Provider, every_model
from sidecar.schema.providers import BaseConfig


class TogetherConfig(BaseConfig, frozen=True, kw_only=True, tag="together"):
    """Together AI."""


TOGETHER: Final = Provider(
    id="together",
    name="Together AI",
    config=TogetherConfig,
    base_url="https://api.together.xyz/v1",
    key_env="TOGETHER_API_KEY",
    quirks=ChatQuirks(top_k=True, videos=True),
    traits=every_model(ModelTraits(thinks_aloud=True)),
)

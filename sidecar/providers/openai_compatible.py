"""Any server that speaks Chat Completions."""

from typing import Final

from sidecar.providers.record import Provider
from sidecar.schema.providers import BaseConfig


class CompatibleConfig(BaseConfig, frozen=True, kw_only=True, tag="openai_compatible"):
    """Any server that speaks OpenAI's Chat Completions. `base_url` is required."""


OPENAI_COMPATIBLE: Final = Provider(
    id="openai_compatible",
    name="OpenAI-compatible server",
    config=CompatibleConfig,
    needs_key=False,
    lists_all_models=False,
)

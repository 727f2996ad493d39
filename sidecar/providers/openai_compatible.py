"""Any server that speaks Chat Completions."""

from typing import Final

from sidecar.providers.record import Provider
from sidecar.schema.providers import CompatibleConfig

OPENAI_COMPATIBLE: Final = Provider(
    id="openai_compatible",
    name="OpenAI-compatible server",
    config=CompatibleConfig,
    needs_key=False,
    lists_all_models=False,
)

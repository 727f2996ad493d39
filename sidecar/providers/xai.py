"""xAI. https://docs.x.ai/docs/api-reference"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import ModelTraits
from sidecar.providers.openai import Api, by_api
from sidecar.providers.record import CHAT, Provider
from sidecar.schema.providers import BaseConfig


class XAIConfig(BaseConfig, frozen=True, kw_only=True, tag="xai"):
    """xAI. Its Chat Completions, `api: "chat"`, are deprecated."""

    api: Api = "responses"


def traits(config: XAIConfig, model: str) -> ModelTraits:
    """Return what `model` takes."""
    from sidecar.providers import xai_models

    del config
    return xai_models.traits(model)


XAI: Final = Provider(
    id="xai",
    name="xAI",
    config=XAIConfig,
    offers=CHAT,
    dialect="openai_responses",
    choose_dialect=by_api,
    base_url="https://api.x.ai/v1",
    key_env="XAI_API_KEY",
    quirks=ChatQuirks(max_tokens_field="max_completion_tokens", stop=False, penalties=False, reasoning_excluded=True),
    traits=traits,
    first_token_ms=3_600_000,
)

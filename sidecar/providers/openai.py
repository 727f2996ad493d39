"""OpenAI. https://platform.openai.com/docs/api-reference/responses"""

from typing import Any, Final, Literal

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import ModelTraits
from sidecar.providers.record import ALL, DialectName, Provider
from sidecar.schema.chat import ChatRequest
from sidecar.schema.providers import BaseConfig

Api = Literal["responses", "chat"]


class OpenAIConfig(BaseConfig, frozen=True, kw_only=True, tag="openai"):
    """OpenAI. A `base_url` on an Azure host makes it an Azure configuration.

    `api` is `chat` for servers, and where it must be for models, that speak Chat Completions only.
    """

    api: Api = "responses"
    organization: str | None = None
    project: str | None = None


REGIONS: Final = ("us", "eu", "ae", "au", "in", "jp")

QUIRKS: Final = ChatQuirks(
    max_tokens_field="max_completion_tokens", developer_role=True, obfuscation=True, storage=True, counts_input=True
)

SPOKEN: Final[dict[Api, DialectName]] = {"responses": "openai_responses", "chat": "openai_chat"}
"""The dialect of each API."""


def account_headers(config: OpenAIConfig) -> dict[str, str]:
    """Name the organization and the project that are to be billed."""
    named = {"openai-organization": config.organization, "openai-project": config.project}
    return {name: value for name, value in named.items() if value}


def by_api(config: Any, request: ChatRequest | None) -> DialectName:
    """Return the dialect of the API that is configured."""
    del request
    api: Api = config.api
    return SPOKEN[api]


def traits(config: OpenAIConfig, model: str) -> ModelTraits:
    """Return what `model` takes by the API that is configured."""
    from sidecar.providers import openai_models

    return openai_models.on_chat(model) if config.api == "chat" else openai_models.on_responses(model)


OPENAI: Final = Provider(
    id="openai",
    name="OpenAI",
    config=OpenAIConfig,
    offers=ALL,
    dialect="openai_responses",
    choose_dialect=by_api,
    base_url="https://api.openai.com/v1",
    key_env="OPENAI_API_KEY",
    origins=tuple(f"https://{region}.api.openai.com" for region in REGIONS),
    headers=account_headers,
    quirks=QUIRKS,
    traits=traits,
)

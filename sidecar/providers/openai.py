"""OpenAI. https://platform.openai.com/docs/api-reference/chat"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Provider
from sidecar.schema.providers import OpenAIConfig

REGIONS: Final = ("us", "eu", "ae", "au", "in", "jp")

QUIRKS: Final = ChatQuirks(
    max_tokens_field="max_completion_tokens", developer_role=True, obfuscation=True, storage=True
)


def account_headers(config: OpenAIConfig) -> dict[str, str]:
    """Name the organization and the project that are to be billed."""
    named = {"openai-organization": config.organization, "openai-project": config.project}
    return {name: value for name, value in named.items() if value}


OPENAI: Final = Provider(
    id="openai",
    name="OpenAI",
    config=OpenAIConfig,
    base_url="https://api.openai.com/v1",
    key_env="OPENAI_API_KEY",
    origins=tuple(f"https://{region}.api.openai.com" for region in REGIONS),
    headers=account_headers,
    quirks=QUIRKS,
)

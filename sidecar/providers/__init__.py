"""Every provider, by its name in a configuration."""

from typing import Final

from sidecar.providers.azure import AZURE, is_azure
from sidecar.providers.deepseek import DEEPSEEK
from sidecar.providers.groq import GROQ
from sidecar.providers.llama_server import LLAMA_SERVER
from sidecar.providers.lmstudio import LMSTUDIO
from sidecar.providers.local import LOCAL
from sidecar.providers.mistral import MISTRAL
from sidecar.providers.ollama import OLLAMA
from sidecar.providers.openai import OPENAI
from sidecar.providers.openai_compatible import OPENAI_COMPATIBLE
from sidecar.providers.openrouter import OPENROUTER
from sidecar.providers.record import Provider
from sidecar.providers.scripted import SCRIPTED
from sidecar.providers.together import TOGETHER
from sidecar.providers.vllm import VLLM
from sidecar.schema.providers import BaseConfig, OpenAIConfig

PROVIDERS: Final[dict[str, Provider]] = {
    provider.id: provider
    for provider in (
        OPENAI,
        AZURE,
        OPENROUTER,
        LOCAL,
        OPENAI_COMPATIBLE,
        OLLAMA,
        LMSTUDIO,
        VLLM,
        LLAMA_SERVER,
        GROQ,
        MISTRAL,
        DEEPSEEK,
        TOGETHER,
        SCRIPTED,
    )
}


def provider_of(config: BaseConfig) -> Provider:
    """Return the provider that a configuration is for; on an Azure host that is Azure, however it is named."""
    if isinstance(config, OpenAIConfig) and is_azure(config.base_url):
        return AZURE
    return PROVIDERS[str(config.__struct_config__.tag)]

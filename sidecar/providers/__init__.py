"""Every provider, by its name in a configuration. A line here adds one."""

from typing import TYPE_CHECKING, Final, Union

from sidecar.providers.anthropic import ANTHROPIC as ANTHROPIC
from sidecar.providers.azure import AZURE as AZURE
from sidecar.providers.azure import is_azure
from sidecar.providers.cerebras import CEREBRAS as CEREBRAS
from sidecar.providers.deepseek import DEEPSEEK as DEEPSEEK
from sidecar.providers.fireworks import FIREWORKS as FIREWORKS
from sidecar.providers.google import GOOGLE as GOOGLE
from sidecar.providers.groq import GROQ as GROQ
from sidecar.providers.llama_server import LLAMA_SERVER as LLAMA_SERVER
from sidecar.providers.lmstudio import LMSTUDIO as LMSTUDIO
from sidecar.providers.local import LOCAL as LOCAL
from sidecar.providers.mistral import MISTRAL as MISTRAL
from sidecar.providers.ollama import OLLAMA as OLLAMA
from sidecar.providers.openai import OPENAI as OPENAI
from sidecar.providers.openai import OpenAIConfig
from sidecar.providers.openai_compatible import OPENAI_COMPATIBLE as OPENAI_COMPATIBLE
from sidecar.providers.openrouter import OPENROUTER as OPENROUTER
from sidecar.providers.perplexity import PERPLEXITY as PERPLEXITY
from sidecar.providers.record import Provider
from sidecar.providers.scripted import SCRIPTED as SCRIPTED
from sidecar.providers.together import TOGETHER as TOGETHER
from sidecar.providers.vllm import VLLM as VLLM
from sidecar.providers.xai import XAI as XAI
from sidecar.schema.providers import BaseConfig

PROVIDERS: Final = {record.id: record for record in list(globals().values()) if isinstance(record, Provider)}

if TYPE_CHECKING:
    ProviderConfig = BaseConfig
else:
    ProviderConfig = Union[tuple(record.config for record in PROVIDERS.values())]  # noqa: UP007 - of a list


def provider_of(config: BaseConfig) -> Provider:
    """Return the provider that a configuration is for; on an Azure host that is Azure, however it is named."""
    if isinstance(config, OpenAIConfig) and is_azure(config.base_url):
        return AZURE
    return PROVIDERS[str(config.__struct_config__.tag)]

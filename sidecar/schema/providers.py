"""Provider configurations, as the host gives them, and what it is told about them."""

from typing import Any, Literal

from msgspec import Struct

from sidecar.schema.credentials import KeychainState
from sidecar.schema.errors import ErrorObject
from sidecar.schema.secret import Secret


class BaseConfig(Struct, frozen=True, kw_only=True, tag_field="provider", omit_defaults=True):
    """What every configuration may say. `id` names the instance and defaults to the provider's name."""

    id: str | None = None
    model: str | None = None
    api_key: Secret | None = None
    base_url: str | None = None
    headers: dict[str, Secret] = {}

    @property
    def kind(self) -> str:
        """The provider's name, as in the tag."""
        return str(self.__struct_config__.tag)


class OpenAIConfig(BaseConfig, frozen=True, kw_only=True, tag="openai"):
    """OpenAI. A `base_url` on an Azure host makes it an Azure configuration."""

    organization: str | None = None
    project: str | None = None


class AzureConfig(BaseConfig, frozen=True, kw_only=True, tag="azure"):
    """Azure OpenAI. `model` is the deployment's name.

    `base_url` is the resource (`https://NAME.openai.azure.com`) or its `/openai/v1`; with `api_version` the legacy
    deployment paths are used.
    """

    api_version: str | None = None


class OpenRouterConfig(BaseConfig, frozen=True, kw_only=True, tag="openrouter"):
    """OpenRouter. `site_url` and `app_name` are how the app appears in its rankings."""

    site_url: str | None = None
    app_name: str | None = None


class CompatibleConfig(BaseConfig, frozen=True, kw_only=True, tag="openai_compatible"):
    """Any server that speaks OpenAI's Chat Completions. `base_url` is required."""


class OllamaConfig(BaseConfig, frozen=True, kw_only=True, tag="ollama"):
    """Ollama."""


class LMStudioConfig(BaseConfig, frozen=True, kw_only=True, tag="lmstudio"):
    """LM Studio."""


class VLLMConfig(BaseConfig, frozen=True, kw_only=True, tag="vllm"):
    """vLLM."""


class LlamaServerConfig(BaseConfig, frozen=True, kw_only=True, tag="llama_server"):
    """llama.cpp's llama-server."""


class GroqConfig(BaseConfig, frozen=True, kw_only=True, tag="groq"):
    """Groq."""


class MistralConfig(BaseConfig, frozen=True, kw_only=True, tag="mistral"):
    """Mistral."""


class DeepSeekConfig(BaseConfig, frozen=True, kw_only=True, tag="deepseek"):
    """DeepSeek."""


class TogetherConfig(BaseConfig, frozen=True, kw_only=True, tag="together"):
    """Together AI."""


class LocalConfig(BaseConfig, frozen=True, kw_only=True, tag="local"):
    """A GGUF file, run by llama.cpp in a worker process."""

    model_path: str
    context_size: int | None = None
    threads: int | None = None
    gpu_layers: int | None = None
    runtime: Literal["auto", "xllamacpp", "llama-cpp-python"] = "auto"
    keep_alive_s: float | None = None


class ScriptedConfig(BaseConfig, frozen=True, kw_only=True, tag="scripted"):
    """A provider that plays the script in `provider_options.scripted`; there only with `--scripted`."""


ProviderConfig = (
    OpenAIConfig
    | AzureConfig
    | OpenRouterConfig
    | CompatibleConfig
    | OllamaConfig
    | LMStudioConfig
    | VLLMConfig
    | LlamaServerConfig
    | GroqConfig
    | MistralConfig
    | DeepSeekConfig
    | TogetherConfig
    | LocalConfig
    | ScriptedConfig
)

KeySource = Literal["config", "memory", "keychain", "environment", "none"]


class KeyInfo(Struct, frozen=True, omit_defaults=True):
    """Where the key comes from, and as much of it as may be shown."""

    source: KeySource
    masked: str | None = None


class ProviderChoice(Struct, frozen=True):
    """A provider id; for methods that need one."""

    provider: str


class OptionalProvider(Struct, frozen=True):
    """A provider id, or the active provider when left out."""

    provider: str | None = None


class ConfigParams(Struct, frozen=True):
    """A provider configuration."""

    config: ProviderConfig


class SetActiveParams(Struct, frozen=True):
    """Which provider to make the active one: by a configuration, which is then kept, or by its id."""

    config: ProviderConfig | None = None
    provider: str | None = None


class TestParams(Struct, frozen=True):
    """What to test: a configuration given here, one by id, or the active one."""

    config: ProviderConfig | None = None
    provider: str | None = None


class ConfiguredProvider(Struct, frozen=True, omit_defaults=True):
    """A configuration as it now stands, without its secrets."""

    provider: str
    kind: str
    key: KeyInfo
    model: str | None = None
    base_url: str | None = None


class ActiveProvider(Struct, frozen=True):
    """The active provider, or null."""

    active: ConfiguredProvider | None


class Removed(Struct, frozen=True):
    """Whether there was something to remove."""

    removed: bool


class ProviderInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A provider that can be used, or a configured instance of one."""

    id: str
    kind: str
    name: str
    configured: bool
    active: bool
    local: bool
    needs_key: bool
    key: KeyInfo
    model: str | None = None
    base_url: str | None = None
    capabilities: dict[str, Any] = {}


class ProviderList(Struct, frozen=True):
    """All providers, and the state of the keychain."""

    providers: list[ProviderInfo]
    keychain: KeychainState


StageName = Literal["config", "dns", "tcp", "tls", "http", "auth", "model", "engine", "file"]


class TestStage(Struct, frozen=True, omit_defaults=True):
    """One step of the diagnosis."""

    stage: StageName
    ok: bool
    ms: int
    error: ErrorObject | None = None
    hint: str | None = None


class TestResult(Struct, frozen=True, omit_defaults=True):
    """The stages in order, up to the first that failed. A failing provider is a result, not an error."""

    ok: bool
    provider: str
    stages: list[TestStage]
    url: str | None = None
    model: str | None = None

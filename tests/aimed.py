"""One representative model of each provider, aimed at with the provider's own record."""

from typing import Any

import msgspec
from msgspec import Struct
from wire_rules import Json

from sidecar.dialects.contract import Aim, Dialect
from sidecar.dialects.named import dialect
from sidecar.providers import PROVIDERS
from sidecar.schema.chat import ChatRequest, Origin


class Aimed(Struct, frozen=True):
    """A model. `options` are members of every request that is meant for it."""

    provider: str
    model: str
    config: Json = {}
    options: Json = {}

    @property
    def origin(self) -> Origin:
        return Origin(self.provider, str(PROVIDERS[self.provider].base_url), self.model)

    def aim(self, lacks: frozenset[str] = frozenset()) -> Aim:
        record = PROVIDERS[self.provider]
        return Aim(
            provider=self.provider,
            kind=self.provider,
            model=self.model,
            origin=self.origin,
            quirks=record.quirks,
            traits=record.traits(self._configured(), self.model),
            lacks=lacks,
        )

    def dialect(self, request: ChatRequest) -> Dialect:
        return dialect(PROVIDERS[self.provider].speaks(self._configured(), request))

    def _configured(self) -> Any:
        return msgspec.convert(self.config | {"provider": self.provider}, PROVIDERS[self.provider].config)


TARGETS = {
    "openai-responses-gpt-6-sol": Aimed("openai", "gpt-6-sol"),
    "openai-chat-gpt-5.5": Aimed("openai", "gpt-5.5", {"api": "chat"}),
    "anthropic-claude-sonnet-5-5": Aimed("anthropic", "claude-sonnet-5-5"),
    "anthropic-claude-haiku-4-5": Aimed("anthropic", "claude-haiku-4-5"),
    "google-gemini-3.8-flash": Aimed("google", "gemini-3.8-flash"),
    "google-gemini-2.5-flash": Aimed("google", "gemini-2.5-flash"),
    "openrouter-claude-sonnet-5.5": Aimed("openrouter", "anthropic/claude-sonnet-5.5"),
    "groq-gpt-oss-120b": Aimed("groq", "openai/gpt-oss-120b"),
    "mistral-large-4": Aimed("mistral", "mistral-large-4"),
    "deepseek-v4-pro": Aimed("deepseek", "deepseek-v4-pro"),
    "ollama-qwen3": Aimed("ollama", "qwen3:8b"),
    "ollama-native-qwen3": Aimed("ollama", "qwen3:8b", {}, {"context_size": 8192}),
}

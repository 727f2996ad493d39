"""What a provider is: where to go, who we are, and its quirks as data."""

import re
from collections.abc import Callable
from typing import Any, Final, Literal

from msgspec import Struct

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import UNKNOWN, ModelTraits
from sidecar.schema.chat import ChatRequest
from sidecar.schema.providers import BaseConfig

EngineName = Literal["http", "llama", "scripted"]
DialectName = Literal["openai_chat", "openai_responses", "anthropic_messages", "gemini_generate", "ollama_chat"]


Offer = Literal["chat", "embeddings", "token_count", "loading"]

CHAT: Final = frozenset[Offer]({"chat"})
CHAT_AND_EMBEDDINGS: Final = frozenset[Offer]({"chat", "embeddings"})
CHAT_AND_COUNTS: Final = frozenset[Offer]({"chat", "token_count"})
ALL: Final = frozenset[Offer]({"chat", "embeddings", "token_count"})
CHAT_AND_EMBEDDINGS_ON_LOAD: Final = frozenset[Offer]({"chat", "embeddings", "loading"})


CLOUD_TAG: Final = re.compile(r":\s*([^:/]*-)?cloud\s*(:|$)", re.IGNORECASE)
"""As in `glm:cloud` and `gpt-oss:120b-cloud`. https://docs.ollama.com/cloud

Whichever provider a configuration names, that server may be what is reached.
"""


class Place(Struct, frozen=True):
    """Where a request goes: a configuration, its base URL and the model asked for."""

    config: Any
    base_url: str
    model: str


def no_headers(config: Any) -> dict[str, str]:
    """Return no headers beyond authentication."""
    del config
    return {}


def no_additions(config: Any) -> dict[str, Any]:
    """Return nothing to add to bodies."""
    del config
    return {}


def same_url(place: Place, path: str) -> str:
    """Return `path` below the base URL."""
    return place.base_url.rstrip("/") + path


def unknown_model(config: Any, model: str) -> ModelTraits:
    """Return what suits a model of which nothing is known."""
    del config, model
    return UNKNOWN


def every_model(traits: ModelTraits) -> Callable[[Any, str], ModelTraits]:
    """Return what tells that all models of a server are alike in `traits`."""
    return lambda _config, _model: traits


class Provider(Struct, frozen=True, kw_only=True):
    """One provider. `base_url` is its own address, `None` where a configuration must give one.

    `offers` is what it can be asked for. `origins` are further addresses that its keys may go to, such as regions, as
    `origin_of` writes them. `key_header` and `key_prefix` say how the key is sent. `url(place, path)` and
    `headers(config)` cover what its API needs beyond that, `traits(config, model)` tells what a model takes, and
    `additions(config)` are members that each body gets.
    """

    id: str
    name: str
    config: type[BaseConfig]
    engine: EngineName = "http"
    offers: frozenset[Offer] = CHAT_AND_EMBEDDINGS
    dialect: DialectName = "openai_chat"
    choose_dialect: Callable[[Any, ChatRequest | None], DialectName] | None = None
    """Which dialect a configuration and a request call for, where that is not always `dialect`."""
    base_url: str | None = None
    origins: tuple[str, ...] = ()
    needs_key: bool = True
    local: bool = False
    free: bool = False
    key_header: str = "authorization"
    key_prefix: str = "Bearer "
    bearer_prefixes: tuple[str, ...] = ()
    """How tokens begin that go into `authorization` as bearers, where keys go elsewhere."""
    default_model: str | None = None
    key_env: str | None = None
    """The environment variable that holds a key, where the sidecar may read keys from there."""
    origin_env: str | None = None
    """The environment variable that says which server `key_env` is for, where the provider has no address itself."""
    key_path: str | None = None
    """What only a good key can read, where the list of models is open to all."""
    models_path: str | None = None
    """Where the models are listed, if not where the dialect has them."""
    lists_prices: bool = False
    """Whether the list of models tells what they cost."""
    lists_all_models: bool = True
    """Whether a model that the server does not list is one that it does not have."""
    remote_models: re.Pattern[str] = CLOUD_TAG
    """The names of models that a server on this machine has another machine run."""
    url: Callable[[Place, str], str] = same_url
    headers: Callable[[Any], dict[str, str]] = no_headers
    additions: Callable[[Any], dict[str, Any]] = no_additions
    """What a configuration adds to the body of every question."""
    quirks: ChatQuirks = ChatQuirks()
    traits: Callable[[Any, str], ModelTraits] = unknown_model
    first_token_ms: int = 600_000

    def speaks(self, config: Any, request: ChatRequest | None = None) -> DialectName:
        """Return the dialect for a request under a configuration, or for what is no chat."""
        return self.dialect if self.choose_dialect is None else self.choose_dialect(config, request)

"""Models: what is known of them, and which of them suit a purpose."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sidecar.schema.chat import Effort
from sidecar.schema.errors import ErrorType

Capability = Literal[
    "tools",
    "structured_output",
    "reasoning",
    "vision",
    "documents",
    "audio",
    "video",
    "web_search",
    "embeddings",
    "reranking",
    "moderation",
    "transcription",
    "speech",
    "image_generation",
    "video_generation",
]
LifecycleStatus = Literal["active", "deprecated", "retired"]
PriceSource = Literal["provider", "table", "user", "free"]
Preference = Literal["price", "latency", "context", "balanced"]


class Rates(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """US dollars per million tokens as decimal strings. What has no rate of its own costs what it is part of."""

    input: str | None = None
    output: str | None = None
    cache_read: str | None = None
    cache_write: str | None = None
    cache_write_1h: str | None = None
    reasoning: str | None = None
    input_audio: str | None = None
    output_audio: str | None = None


class LongContextRates(Rates, frozen=True, kw_only=True, omit_defaults=True):
    """The rates of a request with more than `above` input tokens, where they differ; they hold for all its tokens."""

    above: int


class ModelPrice(Rates, frozen=True, kw_only=True, omit_defaults=True):
    """What a model costs now: by the provider's own word, by the table that comes with the sidecar, or by the host's.

    What costs nothing is `free`. `request` is what each request costs beside its tokens, in US dollars.
    """

    source: PriceSource
    request: str | None = None
    long_context: list[LongContextRates] = []


class ModelInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model. What is left out is unknown. `shut_down` is the day of its end, as in 2027-01-14.

    Of models on this machine: `source` is whose folder the file is in, `models` being the sidecar's own; `size_bytes`
    is what its files take, `memory_bytes` about what it takes in memory with its usual context (where it is loaded:
    what it takes now), `parameters` how many numbers are in it, `chat_template` whether it says how it is talked
    to, and `problem` why it cannot be used.
    """

    id: str
    provider: str
    name: str | None = None
    owned_by: str | None = None
    created: int | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None
    input_modalities: list[str] | None = None
    output_modalities: list[str] | None = None
    capabilities: list[Capability] | None = None
    reasoning_efforts: list[Effort] | None = None
    supported_parameters: list[str] | None = None
    lifecycle: LifecycleStatus | None = None
    shut_down: str | None = None
    successor: str | None = None
    price: ModelPrice | None = None
    size_bytes: int | None = None
    loaded: bool | None = None
    memory_bytes: int | None = None
    source: str | None = None
    architecture: str | None = None
    parameters: int | None = None
    quantization: str | None = None
    chat_template: bool | None = None
    problem: str | None = None


class ModelList(Struct, frozen=True):
    """The provider's models, in its own order."""

    provider: str
    models: list[ModelInfo]


Dollars = Annotated[float, Meta(ge=0)]


class RecommendParams(Struct, frozen=True, kw_only=True):
    """What a model should be like. What is unknown of a model does not meet a demand.

    Prices are limits in US dollars per million tokens. Without `providers` all are asked that can be used.
    """

    providers: list[str] | None = None
    capabilities: list[Capability] = []
    min_context: Annotated[int, Meta(ge=1)] | None = None
    max_input_price: Dollars | None = None
    max_output_price: Dollars | None = None
    local_only: bool = False
    prefer: Preference = "balanced"
    limit: Annotated[int, Meta(ge=1)] = 20


class Recommendation(ModelInfo, frozen=True, kw_only=True, omit_defaults=True):
    """A model that meets the demands. `score` is 0 to 1, `reasons` tell what it is made of.

    `key` tells whether there is a key for its provider, `local` whether it runs on this machine, and `fits` whether it
    has room in the memory there. `first_token_ms` and `output_tokens_per_second` are medians of what this session saw.
    """

    key: bool
    local: bool
    score: float
    reasons: list[str]
    fits: bool | None = None
    first_token_ms: int | None = None
    output_tokens_per_second: float | None = None


class Unavailable(Struct, frozen=True):
    """A provider that could not be asked, and the type of the error."""

    provider: str
    error_type: ErrorType


class Recommendations(Struct, frozen=True):
    """The models, best first, and the providers that did not answer."""

    models: list[Recommendation]
    unavailable: list[Unavailable]

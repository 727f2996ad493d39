"""Entries of model lists, as servers send them: every field may be missing, null or of another type."""

from typing import Any

from msgspec import Raw, Struct

from sidecar.dialects.counts import Number


class Architecture(Struct, frozen=True):
    """What kinds of input a model takes, and of output it gives."""

    input_modalities: list[str] | None = None
    output_modalities: list[str] | None = None


class Hosting(Struct, frozen=True):
    """What the best server of a model allows."""

    context_length: int | None = None
    max_completion_tokens: int | None = None


class FileFacts(Struct, frozen=True):
    """What a model file says of itself."""

    n_ctx: int | None = None
    n_ctx_train: int | None = None
    size: int | None = None


class Abilities(Struct, frozen=True):
    """What a model can do, by name."""

    vision: bool | None = None
    audio: bool | None = None
    ocr: bool | None = None
    function_calling: bool | None = None
    trained_for_tool_use: bool | None = None
    reasoning: Any = None


class Efforts(Struct, frozen=True):
    """How much a model can be asked to think."""

    supported_efforts: list[str] | None = None


class Override(Struct, frozen=True):
    """Prices from a length of prompt on."""

    min_prompt_tokens: int | None = None
    prompt: Raw = Raw()
    completion: Raw = Raw()
    input_cache_read: Raw = Raw()
    input_cache_write: Raw = Raw()


class Pricing(Override, frozen=True):
    """Prices in US dollars per token, or per request; `input` and `output` are per million tokens."""

    input: Raw = Raw()
    output: Raw = Raw()
    request: Raw = Raw()
    audio: Raw = Raw()
    internal_reasoning: Raw = Raw()
    input_cache_write_1h: Raw = Raw()
    overrides: list[Override] | None = None


class Model(Struct, frozen=True):
    """An entry."""

    id: str | None = None
    model: str | None = None
    key: str | None = None
    name: str | None = None
    display_name: str | None = None
    owned_by: str | None = None
    organization: str | None = None
    publisher: str | None = None
    type: str | None = None
    created: Number = None
    context_length: int | None = None
    context_window: int | None = None
    loaded_context_length: int | None = None
    max_context_length: int | None = None
    max_model_len: int | None = None
    max_completion_tokens: int | None = None
    supported_parameters: list[str] | None = None
    input_modalities: list[str] | None = None
    output_modalities: list[str] | None = None
    architecture: Architecture | None = None
    top_provider: Hosting | None = None
    meta: FileFacts | None = None
    capabilities: Abilities | list[str] | None = None
    reasoning: Efforts | None = None
    pricing: Pricing | None = None
    prompt_text_token_price: Number = None
    cached_prompt_text_token_price: Number = None
    completion_text_token_price: Number = None
    expiration_date: str | None = None
    deprecation: str | None = None
    size: int | None = None
    size_bytes: int | None = None
    state: str | None = None
    loaded_instances: list[Any] | None = None


class Listing(Struct, frozen=True):
    """A list of models."""

    data: list[Model] | None = None
    models: list[Model] | None = None

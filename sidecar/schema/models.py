"""Models and what is known of them."""

from msgspec import Struct


class ModelInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model. What is left out is unknown."""

    id: str
    provider: str
    name: str | None = None
    owned_by: str | None = None
    created: int | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None
    input_modalities: list[str] | None = None
    supported_parameters: list[str] | None = None
    size_bytes: int | None = None
    loaded: bool | None = None


class ModelList(Struct, frozen=True):
    """The provider's models, in its own order."""

    provider: str
    models: list[ModelInfo]

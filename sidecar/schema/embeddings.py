"""Vectors of texts."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from sidecar.schema.chat import OnUnsupported, Warning
from sidecar.schema.policies import Privacy, Tags
from sidecar.schema.usage import Cost, Usage

MAX_INPUTS = 2048

Purpose = Literal["query", "document", "similarity", "classification", "clustering"]


class EmbeddingRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Texts to be turned into vectors. Without `provider` they go to the active one.

    `dimensions` shortens the vectors where the model can do that; `purpose` says what they are for where it matters to
    the model. `provider_options` are passed through, by provider.
    """

    input: Annotated[list[str], Meta(min_length=1, max_length=MAX_INPUTS)]
    provider: str | None = None
    model: str | None = None
    dimensions: Annotated[int, Meta(ge=1)] | None = None
    purpose: Purpose | None = None
    provider_options: dict[str, dict[str, Any]] = {}
    on_unsupported: OnUnsupported = "warn"
    privacy: Privacy | None = None
    tags: Tags = []


class EmbeddingResult(Struct, kw_only=True):
    """One vector per text, in the order of the texts."""

    vectors: list[list[float]]
    usage: Usage
    cost: Cost
    warnings: list[Warning]
    provider: str
    model: str

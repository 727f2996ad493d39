"""Model lists read. https://ai.google.dev/api/models"""

from typing import Final
from urllib.parse import quote

from msgspec import Struct

from sidecar.dialects import lenient
from sidecar.dialects.contract import ModelPage
from sidecar.dialects.counts import Number, whole
from sidecar.dialects.pages import check_number
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import Capability, ModelInfo

PATH: Final = "/models?pageSize=1000"
PREFIX: Final = "models/"
"""How the full names of models begin."""

ANSWERS: Final = "generateContent"
EMBEDS: Final = frozenset({"embedContent", "batchEmbedContents"})


class Model(Struct, frozen=True, rename="camel"):
    """An entry of the list."""

    name: str | None = None
    display_name: str | None = None
    input_token_limit: Number = None
    output_token_limit: Number = None
    supported_generation_methods: list[str] | None = None


class Page(Struct, frozen=True, rename="camel"):
    """A part of the list."""

    models: list[Model] | None = None
    next_page_token: str | None = None


def decode_models(body: bytes, provider: str) -> ModelPage:
    """Return the models, and where the next ones are."""
    page = lenient.read(body, Page)
    # Of an empty list nothing is sent.
    if page.models is None and body.strip() != b"{}":
        raise SidecarError("malformed_response", "The provider's answer holds no list of models.")
    check_number(page.models or ())
    following = f"{PATH}&pageToken={quote(page.next_page_token, safe='')}" if page.next_page_token else None
    return ModelPage([_info(model, provider) for model in page.models or () if model.name], following)


def _info(model: Model, provider: str) -> ModelInfo:
    return ModelInfo(
        id=(model.name or "").removeprefix(PREFIX),
        provider=provider,
        name=model.display_name,
        context_length=whole(model.input_token_limit) or None,
        max_output_tokens=whole(model.output_token_limit) or None,
        capabilities=_capabilities(model),
    )


def _capabilities(model: Model) -> list[Capability] | None:
    """Return what a model can do, where the list tells all of it."""
    methods = frozenset(model.supported_generation_methods or ())
    return ["embeddings"] if methods & EMBEDS and ANSWERS not in methods else None

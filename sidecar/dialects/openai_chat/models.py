"""Model lists read, in the forms that servers give them."""

import re
from typing import Final, get_args

from sidecar.dialects import lenient
from sidecar.dialects.contract import ModelPage
from sidecar.dialects.counts import Number, whole
from sidecar.dialects.openai_chat.listing import Abilities, Architecture, FileFacts, Hosting, Listing, Model
from sidecar.dialects.openai_chat.prices import price_of
from sidecar.dialects.pages import check_number
from sidecar.dialects.traits import EFFORTS
from sidecar.schema.chat import Effort
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import Capability, ModelInfo

NO_FACTS: Final = FileFacts()
NO_HOSTING: Final = Hosting()
NO_ARCHITECTURE: Final = Architecture()

ALL: Final[tuple[Capability, ...]] = get_args(Capability)

ABILITIES: Final[dict[str, Capability]] = {
    "tools": "tools",
    "tool_use": "tools",
    "function_calling": "tools",
    "trained_for_tool_use": "tools",
    "structured_outputs": "structured_output",
    "reasoning": "reasoning",
    "thinking": "reasoning",
    "vision": "vision",
    "audio": "audio",
    "web_search_options": "web_search",
    "embedding": "embeddings",
    "embeddings": "embeddings",
    "vlm": "vision",
    "rerank": "reranking",
    "moderation": "moderation",
    "transcribe": "transcription",
}
"""What servers call the abilities, the parameters and the types of models."""

INPUTS: Final[dict[str, Capability]] = {"image": "vision", "file": "documents", "audio": "audio", "video": "video"}
OUTPUTS: Final[dict[str, Capability]] = {
    "image": "image_generation",
    "video": "video_generation",
    "audio": "speech",
    "embeddings": "embeddings",
}


def decode_models(body: bytes, provider: str) -> ModelPage:
    """Return the models of a list, which may be the whole body, its `data` or its `models`."""
    text = body.strip()
    listing = lenient.read(b'{"data":' + text + b"}" if text.startswith(b"[") else text, Listing)
    models = listing.models if listing.data is None else listing.data
    if models is None:
        raise SidecarError("malformed_response", "The provider's answer holds no list of models.")
    check_number(models)
    named = ((model.id or model.model or model.key or model.name, model) for model in models)
    return ModelPage([_info(model, name, provider) for name, model in named if name])


def _info(model: Model, model_id: str, provider: str) -> ModelInfo:
    facts, hosting = model.meta or NO_FACTS, model.top_provider or NO_HOSTING
    architecture = model.architecture or NO_ARCHITECTURE
    name = model.display_name or model.name
    return ModelInfo(
        id=model_id,
        provider=provider,
        name=None if name == model_id else name,
        owned_by=model.owned_by or model.organization or model.publisher,
        created=whole(model.created) or None,
        context_length=whole(_context_length(model)),
        max_output_tokens=whole(model.max_completion_tokens or hosting.max_completion_tokens),
        input_modalities=model.input_modalities or architecture.input_modalities or _inputs(model),
        output_modalities=model.output_modalities or architecture.output_modalities,
        capabilities=_capabilities(model),
        reasoning_efforts=_efforts(model),
        supported_parameters=model.supported_parameters,
        lifecycle="deprecated" if model.expiration_date or model.deprecation else None,
        shut_down=_day(model.expiration_date or model.deprecation),
        price=price_of(model),
        size_bytes=whole(model.size_bytes or model.size or facts.size),
        loaded=_loaded(model),
    )


def _context_length(model: Model) -> Number:
    facts, hosting = model.meta or NO_FACTS, model.top_provider or NO_HOSTING
    return (
        model.context_length
        or model.max_model_len
        or model.context_window
        or model.loaded_context_length
        or model.max_context_length
        or hosting.context_length
        or facts.n_ctx
        or facts.n_ctx_train
    )


def _inputs(model: Model) -> list[str] | None:
    """Return what a model reads, where only its abilities tell."""
    told = model.capabilities
    if not isinstance(told, Abilities) or told.vision is None:
        return None
    found = {"image": told.vision, "audio": told.audio}
    return ["text", *(name for name, present in found.items() if present)]


def _capabilities(model: Model) -> list[Capability] | None:
    """Return what a model can do, in the protocol's order."""
    architecture = model.architecture or NO_ARCHITECTURE
    told = _told(model)
    found = {ABILITIES[name] for name in told if name in ABILITIES}
    inputs = model.input_modalities or architecture.input_modalities or ()
    outputs = model.output_modalities or architecture.output_modalities or ()
    found |= {INPUTS[name] for name in inputs if name in INPUTS}
    found |= {OUTPUTS[name] for name in outputs if name in OUTPUTS}
    return [capability for capability in ALL if capability in found] or None


def _told(model: Model) -> list[str]:
    """Return the names of what a model can do."""
    able = model.capabilities
    if isinstance(able, Abilities):
        able = [name for name in able.__struct_fields__ if getattr(able, name)]
    return [*(able or ()), *(model.supported_parameters or ()), model.type or ""]


def _efforts(model: Model) -> list[Effort] | None:
    told = model.reasoning.supported_efforts if model.reasoning is not None else None
    return [effort for effort in EFFORTS if effort in told] or None if told else None


def _day(date: str | None) -> str | None:
    found = re.match(r"\d{4}-\d\d-\d\d", date or "")
    return found[0] if found else None


def _loaded(model: Model) -> bool | None:
    if model.loaded_instances is not None:
        return bool(model.loaded_instances)
    return None if model.state is None else model.state == "loaded"

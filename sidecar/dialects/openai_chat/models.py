"""Model lists read, in the forms that servers give them."""

from sidecar.dialects import lenient
from sidecar.dialects.openai_chat.wire import Capabilities, FileFacts, Hosting, Model, ModelPage
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import ModelInfo

NO_FACTS = FileFacts()
NO_HOSTING = Hosting()


def decode_models(body: bytes, provider: str) -> list[ModelInfo]:
    """Return the models of a list, which may be the whole body or its `data`."""
    text = body.strip()
    page = lenient.read(b'{"data":' + text + b"}" if text.startswith(b"[") else text, ModelPage)
    if page.data is None:
        raise SidecarError("malformed_response", "The provider's answer holds no list of models.")
    return [_info(model, model.id, provider) for model in page.data if model.id]


def _info(model: Model, model_id: str, provider: str) -> ModelInfo:
    facts = model.meta or NO_FACTS
    hosting = model.top_provider or NO_HOSTING
    return ModelInfo(
        id=model_id,
        provider=provider,
        name=model.display_name or model.name,
        owned_by=model.owned_by or model.organization,
        created=int(model.created) if model.created else None,
        context_length=model.context_length
        or model.max_model_len
        or model.context_window
        or model.max_context_length
        or hosting.context_length
        or facts.n_ctx
        or facts.n_ctx_train,
        max_output_tokens=model.max_completion_tokens or hosting.max_completion_tokens,
        input_modalities=_modalities(model),
        supported_parameters=model.supported_parameters,
        size_bytes=facts.size,
    )


def _modalities(model: Model) -> list[str] | None:
    if model.architecture is not None:
        return model.architecture.input_modalities
    if model.capabilities is None or model.capabilities.vision is None:
        return None
    return ["text", *_abilities(model.capabilities)]


def _abilities(capabilities: Capabilities) -> list[str]:
    found = {"image": capabilities.vision, "audio": capabilities.audio}
    return [name for name, present in found.items() if present]

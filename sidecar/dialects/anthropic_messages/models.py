"""Model lists read. https://platform.claude.com/docs/en/api/models-list"""

from datetime import datetime
from typing import Final
from urllib.parse import quote

from msgspec import Struct, field

from sidecar.dialects import lenient
from sidecar.dialects.contract import ModelPage
from sidecar.dialects.counts import whole
from sidecar.dialects.pages import check_number
from sidecar.schema.chat import Effort
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import Capability, LifecycleStatus, ModelInfo

PATH: Final = "/v1/models?limit=1000"


class Support(Struct, frozen=True):
    """Whether a model can do something."""

    supported: bool | None = None


NO: Final = Support()


class EffortLevels(Support, frozen=True):
    """How much a model can be asked to think."""

    low: Support | None = None
    medium: Support | None = None
    high: Support | None = None
    xhigh: Support | None = None
    max: Support | None = None


class ThinkingTypes(Struct, frozen=True):
    """The ways of thinking that a model takes."""

    disabled: Support | None = None
    between_tools: Support | None = None


class Thinking(Support, frozen=True):
    """Whether and how a model thinks."""

    types: ThinkingTypes = field(default_factory=ThinkingTypes)


class ServerTools(Support, frozen=True):
    """The tools that the server runs."""

    web_search: Support | None = None


class Capabilities(Struct, frozen=True):
    """What a model can do."""

    effort: EffortLevels = field(default_factory=EffortLevels)
    image_input: Support = NO
    pdf_input: Support = NO
    server_tools: ServerTools = field(default_factory=ServerTools)
    structured_outputs: Support = NO
    thinking: Thinking = field(default_factory=Thinking)


class Model(Struct, frozen=True):
    """An entry of a list."""

    id: str | None = None
    display_name: str | None = None
    created_at: str | None = None
    max_input_tokens: int | None = None
    max_tokens: int | None = None
    capabilities: Capabilities | None = None
    lifecycle: LifecycleStatus | None = None
    retires_at: str | None = None


class Page(Struct, frozen=True):
    """A part of a list."""

    data: list[Model] | None = None
    has_more: bool | None = None
    last_id: str | None = None


def decode_models(body: bytes, provider: str) -> ModelPage:
    """Return the models of one page."""
    page = lenient.read(body.strip(), Page)
    if page.data is None:
        raise SidecarError("malformed_response", "The provider's answer holds no list of models.")
    check_number(page.data)
    more = page.has_more and page.last_id
    found = [_info(model, model.id, provider) for model in page.data if model.id]
    return ModelPage(found, f"{PATH}&after_id={quote(page.last_id or '', safe='')}" if more else None)


def _info(model: Model, model_id: str, provider: str) -> ModelInfo:
    known = model.capabilities
    return ModelInfo(
        id=model_id,
        provider=provider,
        name=model.display_name,
        created=_seconds(model.created_at),
        context_length=whole(model.max_input_tokens),
        max_output_tokens=whole(model.max_tokens),
        input_modalities=None if known is None else _modalities(known),
        output_modalities=None if known is None else ["text"],
        capabilities=None if known is None else _abilities(known),
        reasoning_efforts=None if known is None else _efforts(known),
        lifecycle=model.lifecycle,
        shut_down=model.retires_at[:10] if model.retires_at else None,
    )


def _seconds(moment: str | None) -> int | None:
    """Return a moment as seconds since 1970, where it is known: the very beginning of 1970 stands for others."""
    try:
        return int(datetime.fromisoformat(moment or "").timestamp()) or None
    except (ValueError, OverflowError):
        return None


def _modalities(known: Capabilities) -> list[str]:
    found = {"text": True, "image": known.image_input.supported, "file": known.pdf_input.supported}
    return [name for name, present in found.items() if present]


def _abilities(known: Capabilities) -> list[Capability]:
    found: dict[Capability, bool | None] = {
        "tools": True,
        "structured_output": known.structured_outputs.supported,
        "reasoning": known.thinking.supported,
        "vision": known.image_input.supported,
        "documents": known.pdf_input.supported,
        "web_search": (known.server_tools.web_search or NO).supported,
    }
    return [name for name, present in found.items() if present]


def _efforts(known: Capabilities) -> list[Effort] | None:
    """Return the efforts to choose from; `none` and `minimal` are ways of thinking to the server."""
    levels, ways = known.effort, known.thinking.types
    if not levels.supported:
        return None
    found: dict[Effort, Support | None] = {
        "none": ways.disabled,
        "minimal": ways.between_tools,
        "low": levels.low,
        "medium": levels.medium,
        "high": levels.high,
        "xhigh": levels.xhigh,
        "max": levels.max,
    }
    return [effort for effort, support in found.items() if support and support.supported]

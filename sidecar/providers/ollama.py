"""Ollama. https://docs.ollama.com/api"""

from typing import Annotated, Any, Final

from msgspec import Meta

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import ModelTraits
from sidecar.providers.record import DialectName, Place, Provider
from sidecar.schema.chat import ChatRequest
from sidecar.schema.providers import BaseConfig

NATIVE: Final = "/api/"
"""What lies beside the common API, below the server's root."""


class OllamaConfig(BaseConfig, frozen=True, kw_only=True, tag="ollama"):
    """Ollama. `context_size` in tokens, and `keep_alive`, such as `10m`, say how a model is loaded.

    Without a context size the server takes its own, and silently cuts what does not fit.
    """

    context_size: Annotated[int, Meta(ge=1)] | None = None
    keep_alive: str | int | None = None


def dialect(config: OllamaConfig, request: ChatRequest | None) -> DialectName:
    """Return the server's own dialect where it is asked for what the common one has no word for."""
    sized = request is not None and request.context_size is not None
    return "ollama_chat" if sized or config.context_size or config.keep_alive is not None else "openai_chat"


def loading(config: OllamaConfig) -> dict[str, Any]:
    """Return the members of a body that say how the model is loaded."""
    body: dict[str, Any] = {} if config.keep_alive is None else {"keep_alive": config.keep_alive}
    return body | ({"options": {"num_ctx": config.context_size}} if config.context_size else {})


def server_url(place: Place, path: str) -> str:
    """Return `path` below the base URL, or a native one below the server's root."""
    base = place.base_url.rstrip("/")
    return (base.removesuffix("/v1") if path.startswith(NATIVE) else base) + path


OTHERS: Final = ModelTraits(forced_tools=False, structured_with_tools=False, files=frozenset({"image"}))
LEVELLED: Final = ModelTraits(
    efforts=("low", "medium", "high"),
    forced_tools=False,
    structured_with_tools=False,
    files=frozenset({"image"}),
)


def traits(config: OllamaConfig, model: str) -> ModelTraits:
    """Return what a model takes."""
    del config
    return LEVELLED if "gpt-oss" in model else OTHERS


OLLAMA: Final = Provider(
    id="ollama",
    name="Ollama",
    config=OllamaConfig,
    choose_dialect=dialect,
    base_url="http://127.0.0.1:11434/v1",
    needs_key=False,
    local=True,
    free=True,
    models_path="/api/tags",
    url=server_url,
    additions=loading,
    quirks=ChatQuirks(
        tool_choice=False,
        parallel_tool_calls=False,
        object_arguments=True,
        image_urls=False,
        reasoning_echo="reasoning",
    ),
    traits=traits,
)

"""LM Studio. https://lmstudio.ai/docs/developer/openai-compat"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import ModelTraits
from sidecar.providers.record import Place, Provider, every_model
from sidecar.schema.providers import BaseConfig

MODELS_PATH: Final = "/api/v0/models"
"""The server's own list, which tells more of a model than the common one."""


class LMStudioConfig(BaseConfig, frozen=True, kw_only=True, tag="lmstudio"):
    """LM Studio."""


def server_url(place: Place, path: str) -> str:
    """Return `path` below the base URL, or the list of models below the server's root."""
    base = place.base_url.rstrip("/")
    return (base.removesuffix("/v1") if path == MODELS_PATH else base) + path


LMSTUDIO: Final = Provider(
    id="lmstudio",
    name="LM Studio",
    config=LMStudioConfig,
    base_url="http://127.0.0.1:1234/v1",
    needs_key=False,
    local=True,
    free=True,
    models_path=MODELS_PATH,
    url=server_url,
    quirks=ChatQuirks(top_k=True, object_arguments=True, order="turns", image_urls=False),
    traits=every_model(ModelTraits(files=frozenset({"image"}), thinks_aloud=True)),
)

"""llama.cpp's server. https://github.com/ggml-org/llama.cpp/tree/master/tools/server"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import ModelTraits
from sidecar.providers.record import Provider, every_model
from sidecar.schema.providers import BaseConfig


class LlamaServerConfig(BaseConfig, frozen=True, kw_only=True, tag="llama_server"):
    """llama.cpp's llama-server."""


def one_question_each(config: LlamaServerConfig) -> dict[str, str]:
    """Ask for a connection of its own: the server closes one after a stream without saying so."""
    del config
    return {"connection": "close"}


LLAMA_SERVER: Final = Provider(
    id="llama_server",
    name="llama-server",
    config=LlamaServerConfig,
    base_url="http://127.0.0.1:9931/v1",
    needs_key=False,
    local=True,
    free=True,
    lists_all_models=False,
    headers=one_question_each,
    quirks=ChatQuirks(
        top_k=True,
        object_arguments=True,
        order="turns",
        reasoning="template",
        budget_field="thinking_budget_tokens",
        reasoning_echo="reasoning_content",
        base64_vectors=True,
    ),
    traits=every_model(ModelTraits(files=frozenset({"image", "audio"}))),
)

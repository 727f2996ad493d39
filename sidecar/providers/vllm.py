"""vLLM. https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import ModelTraits
from sidecar.providers.record import ALL, Place, Provider, every_model
from sidecar.schema.providers import BaseConfig

COUNT_PATH: Final = "/tokenize"


class VLLMConfig(BaseConfig, frozen=True, kw_only=True, tag="vllm"):
    """vLLM."""


def server_url(place: Place, path: str) -> str:
    """Return `path` below the base URL, or that of the tokenizer below the server's root."""
    base = place.base_url.rstrip("/")
    return (base.removesuffix("/v1") if path == COUNT_PATH else base) + path


VLLM: Final = Provider(
    id="vllm",
    name="vLLM",
    config=VLLMConfig,
    offers=ALL,
    base_url="http://127.0.0.1:8000/v1",
    needs_key=False,
    local=True,
    free=True,
    url=server_url,
    quirks=ChatQuirks(
        top_k=True,
        object_arguments=True,
        order="turns",
        audio_formats=frozenset({"wav", "mp3", "flac", "ogg"}),
        videos=True,
        reasoning="effort_and_template",
        budget_field="thinking_token_budget",
        reasoning_echo="reasoning",
        count_path=COUNT_PATH,
        base64_vectors=True,
    ),
    traits=every_model(ModelTraits(files=frozenset({"image", "audio", "video"}))),
)

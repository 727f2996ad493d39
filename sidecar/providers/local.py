"""A model file on this machine."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from sidecar.providers.record import CHAT_AND_EMBEDDINGS_ON_LOAD, Provider
from sidecar.schema.providers import BaseConfig

KEEP_ALIVE_S: Final = 300.0


class LocalConfig(BaseConfig, frozen=True, kw_only=True, tag="local"):
    """GGUF files, run by llama.cpp in worker processes.

    `model_path` is the file that is meant where a request names no model; `models.list` tells of the others.
    `keep_alive_s` is for how many seconds an unused model stays in memory: 0 until its answer is there, null or a
    negative number for ever. `parallel` answers at most are made at once; they share the context.
    """

    model_path: str | None = None
    context_size: int | None = None
    threads: int | None = None
    gpu_layers: int | None = None
    runtime: Literal["auto", "xllamacpp", "llama-cpp-python"] = "auto"
    keep_alive_s: float | None = KEEP_ALIVE_S
    parallel: Annotated[int, Meta(ge=1, le=16)] = 4


LOCAL: Final = Provider(
    id="local",
    name="Local model",
    config=LocalConfig,
    engine="llama",
    offers=CHAT_AND_EMBEDDINGS_ON_LOAD,
    needs_key=False,
    local=True,
    free=True,
)

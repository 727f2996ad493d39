"""A model file on this machine."""

from typing import Final, Literal

from sidecar.providers.record import Provider
from sidecar.schema.providers import BaseConfig


class LocalConfig(BaseConfig, frozen=True, kw_only=True, tag="local"):
    """A GGUF file, run by llama.cpp in a worker process."""

    model_path: str
    context_size: int | None = None
    threads: int | None = None
    gpu_layers: int | None = None
    runtime: Literal["auto", "xllamacpp", "llama-cpp-python"] = "auto"
    keep_alive_s: float | None = None


LOCAL: Final = Provider(
    id="local",
    name="Local model",
    config=LocalConfig,
    engine="llama",
    needs_key=False,
    local=True,
    free=True,
)

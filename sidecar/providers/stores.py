"""Where programs for local models keep them, so that what is on this machine already need not be fetched again."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

Layout = Literal["files", "snapshots", "manifests"]
"""Plain files in folders; a cache of repositories, by revision; or manifests that name blobs."""


class Store(Struct, frozen=True):
    """A folder of models. `source` says whose it is."""

    source: str
    layout: Layout
    folder: Path


SERVICE: Final = Path("/usr/share/ollama/.ollama/models")
"""Where it is kept for a service of all users. https://docs.ollama.com/faq"""


def stores(environment: Mapping[str, str], home: Path) -> list[Store]:
    """Return where models may be, whether or not these folders are there."""

    def named(variable: str, default: Path) -> Path:
        return Path(value) if (value := environment.get(variable)) else default

    cache = named("XDG_CACHE_HOME", home / ".cache")
    own_cache = home / "Library" / "Caches" if sys.platform == "darwin" else cache
    hub_home = named("HF_HOME", cache / "huggingface")
    return [
        Store("ollama", "manifests", named("OLLAMA_MODELS", home / ".ollama" / "models")),
        Store("ollama", "manifests", SERVICE),
        Store("lmstudio", "files", home / ".lmstudio" / "models"),
        Store("lmstudio", "files", home / ".cache" / "lm-studio" / "models"),
        Store("llama.cpp", "files", named("LLAMA_CACHE", own_cache / "llama.cpp")),
        Store("huggingface", "snapshots", named("HF_HUB_CACHE", hub_home / "hub")),
    ]


DEFAULT_REGISTRY: Final = "registry.ollama.ai/library/"
MODEL_LAYER: Final = "application/vnd.ollama.image.model"
"""The media type of the layer of a manifest that is the model file."""

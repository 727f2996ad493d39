"""How much memory a model takes, told from its file's header before it is loaded. Pure."""

from typing import Final

from sidecar.engines.llama.gguf import ModelFile
from sidecar.engines.llama.runtimes import BATCH

CACHED_BYTES: Final = 2
"""The size of a number of the cache: half precision."""

LOGIT_BYTES: Final = 4
LOGIT_COPIES: Final = 2
"""What is computed for each token of a batch and each token of the vocabulary, by llama.cpp and again by a binding."""

WORKER_BYTES: Final = 48 << 20
"""The process itself: an interpreter, llama.cpp, and the buffers between the layers."""

DEFAULT_CONTEXT: Final = 8_192
"""Tokens, where nobody chose: a context of all that large models allow would take tens of gigabytes."""

CONTEXT_STEP: Final = 256


def context_size(wanted: int | None, trained: int | None) -> int:
    """Return the context to load with: whole steps, as llama.cpp takes them, up to what the model was made for."""
    size = -(-(wanted or DEFAULT_CONTEXT) // CONTEXT_STEP) * CONTEXT_STEP
    return size if trained is None else min(size, trained)


def usual(file: ModelFile) -> int:
    """Return about how many bytes a worker has where nobody chose the size of the context."""
    return estimate(file, context_size(None, file.context_length))


def estimate(file: ModelFile, context_size: int, batch: int = BATCH) -> int:
    """Return about how many bytes a worker has with the whole context in use.

    `batch` is how many tokens are evaluated at a time. Of a model whose header says too little, the file alone counts.
    """
    cache = context_size * (file.cache_width or 0) * CACHED_BYTES
    logits = batch * (file.vocabulary or 0) * LOGIT_BYTES * LOGIT_COPIES
    return file.size_bytes + cache + logits + WORKER_BYTES

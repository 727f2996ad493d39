"""Texts as vectors, through llama.cpp's own functions: those of its Python bindings cut texts or stop at a batch."""

import ctypes
from collections.abc import Iterator
from typing import Any, Final

from sidecar.engines.llama.runtimes import normalised, text_too_long
from sidecar.schema.errors import SidecarError

SEQUENCE: Final = 0


class Texts:
    """Turns texts into vectors with a model loaded for that; `longest` is the most tokens that one may have."""

    def __init__(self, native: Any, llama: Any, longest: int) -> None:
        self._native = native
        self._llama = llama
        self._longest = longest
        self._size: int = native.llama_model_n_embd_out(llama.model)

    def tokens(self, texts: list[str]) -> list[list[int]]:
        """Return the tokens of all texts; raises `SidecarError("context_length_exceeded")` when one has too many."""
        found = [self._llama.tokenize(text.encode(), add_bos=True, special=True) for text in texts]
        most = max(map(len, found))
        if most > self._longest:
            raise text_too_long(most, self._longest)
        return found

    def vector(self, tokens: list[int]) -> list[float]:
        """Return the vector of one text; raises `RuntimeError` when the abort callback stopped it, or on failure."""
        self.forget()
        for batch in self._batches(tokens):
            if code := self._native.llama_decode(self._llama.ctx, batch):
                raise RuntimeError(f"llama_decode returned {code}")
        found = self._native.llama_get_embeddings_seq(self._llama.ctx, SEQUENCE)
        if not found:
            raise SidecarError("request_rejected", "The model gives no vector for this text.")
        return normalised(found[: self._size])

    def _batches(self, tokens: list[int]) -> Iterator[Any]:
        size: int = self._llama.n_batch
        for start in range(0, len(tokens), size):
            piece = tokens[start : start + size]
            yield self._batch(piece)

    def _batch(self, tokens: list[int]) -> Any:
        """Return a batch that keeps its tokens alive, all of them marked as wanted."""
        count = len(tokens)
        return self._native.llama_batch(
            n_tokens=count,
            token=(self._native.llama_token * count)(*tokens),
            logits=(ctypes.c_int8 * count)(*[1] * count),
        )

    def forget(self) -> None:
        """Clear what was evaluated; models that read both ways keep nothing."""
        if memory := self._native.llama_get_memory(self._llama.ctx):
            self._native.llama_memory_clear(memory, True)

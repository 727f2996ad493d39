"""Texts as vectors, through llama.cpp's own functions: those of its Python bindings cut texts or stop at a batch."""

import queue
from functools import partial

from sidecar.engines.llama.protocol import Done, Embed
from sidecar.engines.llama.runtimes import Answer, normalised, outcome, text_too_long
from sidecar.engines.llama.runtimes.llama_cpp_model import ABORTED, OK, Context, Piece
from sidecar.schema.errors import SidecarError

SEQUENCE = 0


class Texts:
    """Turns texts into vectors, one after the other, with a context made for that. All but `add` is for one thread."""

    def __init__(self, context: Context, longest: int) -> None:
        self._context = context
        self._longest = longest
        self._inbox: queue.SimpleQueue[tuple[Embed, Answer]] = queue.SimpleQueue()
        self._size: int = context.weights.native.llama_model_n_embd_out(context.weights.model)

    def add(self, command: Embed, answer: Answer) -> None:
        """Have vectors made, of no text with more than `longest` tokens."""
        self._inbox.put((command, answer))

    def step(self) -> None:
        """Make the vectors that are asked for next; waits while there are none."""
        command, answer = self._inbox.get()
        answer.end(outcome(command.id, partial(self._embed, command, answer)))

    def _embed(self, command: Embed, answer: Answer) -> Done:
        evaluated = 0
        for tokens in self._tokens(command.texts):
            vector = None if answer.cancelled else self._vector(tokens, answer)
            if vector is None:
                return Done(command.id, "cancelled", evaluated)
            answer.give(vector)
            evaluated += len(tokens)
        return Done(command.id, "stop", evaluated)

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        found = [self._context.weights.whole(text) for text in texts]
        most = max(map(len, found))
        if most > self._longest:
            raise text_too_long(most, self._longest)
        return found

    def _vector(self, tokens: list[int], answer: Answer) -> list[float] | None:
        """Return the vector of one text, or nothing when it is cancelled, on a CPU at once."""
        self._forget()
        size = self._context.batch
        for start in range(0, len(tokens), size):
            piece = Piece(SEQUENCE, start, tokens[start : start + size])
            code = self._context.decode([piece], lambda: answer.cancelled)
            if code == ABORTED:
                return None
            if code != OK:
                raise SidecarError("server_error", "The local engine failed.", hint=f"llama_decode returned {code}")
        return self._pooled()

    def _pooled(self) -> list[float]:
        native = self._context.weights.native
        found = native.llama_get_embeddings_seq(self._context.native, SEQUENCE)
        if not found:
            raise SidecarError("request_rejected", "The model gives no vector for this text.")
        return normalised(found[: self._size])

    def _forget(self) -> None:
        """Clear what was evaluated; models that read both ways keep nothing."""
        if self._context.memory:
            self._context.weights.native.llama_memory_clear(self._context.memory, True)

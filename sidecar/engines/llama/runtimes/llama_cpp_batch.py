"""Several answers made at once: each step evaluates the next tokens of all, in a thread of its own."""

import queue
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from sidecar.engines.llama.protocol import Failed, Finish
from sidecar.engines.llama.runtimes import outcome
from sidecar.engines.llama.runtimes.llama_cpp_generation import Generation
from sidecar.engines.llama.runtimes.llama_cpp_model import ABORTED, NO_ROOM, OK, Context, Piece
from sidecar.engines.llama.runtimes.llama_cpp_sequences import Sequence, Sequences


class Share(NamedTuple):
    """What a step evaluates of one sequence."""

    sequence: Sequence
    generation: Generation
    tokens: list[int]


class Batches:
    """Makes up to `parallel` answers at once; more wait in line. All but `add` is for one thread."""

    def __init__(self, context: Context, sequences: Sequences, parallel: int) -> None:
        self._context = context
        self._sequences = sequences
        self._parallel = parallel
        self._inbox: queue.SimpleQueue[Generation] = queue.SimpleQueue()
        self._waiting: list[Generation] = []
        self._full = False

    def add(self, generation: Generation) -> None:
        """Have an answer made."""
        self._inbox.put(generation)

    def step(self) -> None:
        """Evaluate the next tokens of all answers, as many together as a batch holds; waits while there is nothing."""
        self._collect()
        self._drop_cancelled()
        self._admit()
        if shares := list(self._shares()):
            self._settle(shares, self._decode(shares))

    def _collect(self) -> None:
        nothing = not self._waiting and not self._sequences.busy
        while nothing or not self._inbox.empty():
            self._waiting.append(self._inbox.get())
            nothing = False

    def _drop_cancelled(self) -> None:
        for generation in [one for one in self._waiting if one.answer.cancelled]:
            self._waiting.remove(generation)
            generation.end(generation.done("cancelled"))
        for sequence, generation in self._sequences.busy:
            if generation.answer.cancelled:
                self._finish(sequence, generation, "cancelled")

    def _admit(self) -> None:
        """Place those who wait, in their order; who begins like another waits until that part is evaluated."""
        for generation in list(self._waiting):
            if self._full or len(self._sequences.busy) >= self._parallel:
                return
            found = self._sequences.beginning(generation.tokens)
            if not found.ready:
                continue
            if not self._sequences.fits(generation.tokens, found):
                return
            self._waiting.remove(generation)
            self._sequences.place(generation, found)

    def _shares(self) -> Iterator[Share]:
        """Share out a batch evenly: who needs less than an equal part leaves the rest to the others."""
        free, busy = self._context.batch, sorted(self._sequences.busy, key=lambda one: one[0].left)
        for at, (sequence, generation) in enumerate(busy):
            size = min(sequence.left, free // (len(busy) - at))
            free -= size
            yield Share(sequence, generation, sequence.tokens[sequence.held : sequence.held + size])

    def _decode(self, shares: list[Share]) -> int:
        """Evaluate the shares together, unless one that reads its prompt is cancelled meanwhile."""
        reading = [share.generation.answer for share in shares if len(share.tokens) > 1]
        abortable = reading and self._context.weights.rewindable
        pieces = [Piece(share.sequence.number, share.sequence.held, share.tokens) for share in shares]
        return self._context.decode(pieces, (lambda: any(one.cancelled for one in reading)) if abortable else None)

    def _settle(self, shares: list[Share], code: int) -> None:
        """Go on from how the shares were evaluated: when that fails for all together, each is tried alone."""
        if code == OK:
            self._advance(shares)
        elif code == NO_ROOM:
            self._make_room()
        elif len(shares) > 1 and code != ABORTED:
            for share in shares:
                self._settle([share], self._decode([share]))
        elif code != ABORTED:
            self._fail(shares[0].sequence, shares[0].generation, code)

    def _advance(self, shares: list[Share]) -> None:
        end = 0
        for sequence, generation, tokens in shares:
            end += len(tokens)
            sequence.held += len(tokens)
            if sequence.left:
                continue
            finish = outcome(generation.id, partial(generation.take, end - 1))
            if finish is not None:
                self._finish(sequence, generation, finish)

    def _make_room(self) -> None:
        """Forget what is only kept; else the answer begun last waits until another one has ended."""
        if self._sequences.evict():
            return
        busy = self._sequences.busy
        sequence, generation = max(busy, key=lambda one: one[1].begun)
        if len(busy) == 1:
            self._fail(sequence, generation, NO_ROOM)
            return
        self._sequences.clear(sequence)
        self._waiting.insert(0, generation)
        self._full = True

    def _fail(self, sequence: Sequence, generation: Generation, code: int) -> None:
        hint = f"llama_decode returned {code}"
        self._finish(sequence, generation, Failed(generation.id, "server_error", "The local engine failed.", hint=hint))
        self._sequences.clear(sequence)

    def _finish(self, sequence: Sequence, generation: Generation, result: Finish | Failed) -> None:
        self._sequences.release(sequence)
        self._full = False
        generation.end(result if isinstance(result, Failed) else generation.done(result))

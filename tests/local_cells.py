"""A context that keeps count of what each sequence holds, and answers made in it, run by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from sidecar.engines.llama.protocol import Done, Finish, Outcome
from sidecar.engines.llama.runtimes.llama_cpp_batch import Batches
from sidecar.engines.llama.runtimes.llama_cpp_model import ABORTED, NO_ROOM, OK, Piece
from sidecar.engines.llama.runtimes.llama_cpp_sequences import Sequences

POISON = 666
FAILED = -3

_births = count()


def following(tokens: Sequence[int]) -> int:
    """Return what this model says next: it depends on every token before, and on their order."""
    return sum(at * token for at, token in enumerate(tokens, 1)) % 5


class Cells:
    """A context that refuses what llama.cpp would, and knows what each sequence holds."""

    def __init__(self, size: int = 100, batch: int = 8, sequences: int = 4, *, rewindable: bool = True) -> None:
        self.size, self.batch = size, batch
        self.weights = SimpleNamespace(rewindable=rewindable)
        self.held: list[list[tuple[int, int]]] = [[] for _ in range(sequences)]
        self.steps: list[list[int]] = []
        self.asked: list[bool] = []
        self.ended: list[Telling] = []
        self._born = count()
        self._last: list[int] = []

    def decode(self, pieces: Sequence[Piece], shall_abort: Callable[[], bool] | None = None) -> int:
        self.asked.append(shall_abort is not None)
        assert all(piece.start == len(self.held[piece.sequence]) for piece in pieces)
        new = sum(len(piece.tokens) for piece in pieces)
        assert new <= self.batch
        if len({cell for one in self.held for cell, _ in one}) + new > self.size:
            return NO_ROOM
        if any(POISON in piece.tokens for piece in pieces):
            return FAILED
        if shall_abort is not None and shall_abort():
            return ABORTED
        self.steps.append([len(piece.tokens) for piece in pieces])
        self._last = []
        for piece in pieces:
            self.held[piece.sequence] += [(next(self._born), token) for token in piece.tokens]
            self._last += [piece.sequence] * len(piece.tokens)
        return OK

    def keep(self, sequence: int, tokens: int) -> bool:
        if not self.weights.rewindable and 0 < tokens < len(self.held[sequence]):
            return False
        del self.held[sequence][tokens:]
        return True

    def share(self, source: int, target: int, tokens: int) -> None:
        assert not self.held[target]
        assert self.weights.rewindable
        self.held[target] = self.held[source][:tokens]

    def choose(self, index: int) -> int:
        return following([token for _, token in self.held[self._last[index]]])

    @property
    def evaluated(self) -> int:
        return sum(map(sum, self.steps))


@dataclass(eq=False)
class Telling:
    """An answer of `wanted` tokens. It is cancelled when this was asked `patience` times, where that is set."""

    cells: Cells
    prompt: list[int]
    wanted: int = 1
    patience: int | None = None
    id: int = 1
    begun: int = 0
    cached: int = 0
    outcomes: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tokens = list(self.prompt)
        self.answer = self

    @property
    def cancelled(self) -> bool:
        if self.patience is not None:
            self.patience -= 1
        return self.patience is not None and self.patience < 0

    def begin(self, cached: int) -> None:
        if not self.begun:
            self.begun, self.cached = next(_births) + 1, cached

    def take(self, index: int) -> Finish | None:
        self.tokens.append(self.cells.choose(index))
        return "length" if len(self.said) == self.wanted else None

    def done(self, finish: Finish) -> Done:
        return Done(self.id, finish)

    def end(self, result: Outcome) -> None:
        self.cells.ended.append(self)
        self.outcomes.append(result.finish if isinstance(result, Done) else result)

    @property
    def said(self) -> list[int]:
        return self.tokens[len(self.prompt) :]

    @property
    def right(self) -> list[int]:
        """What the model says to the prompt when nobody else is there."""
        tokens = list(self.prompt)
        for _ in self.said:
            tokens.append(following(tokens))
        return tokens[len(self.prompt) :]


class Desk:
    """Batches, run by hand."""

    def __init__(self, cells: Cells, parallel: int = 2) -> None:
        self.cells = cells
        self.batches: Any = Batches(cells, Sequences(cells, len(cells.held)), parallel)  # type: ignore[arg-type]

    def ask(self, prompt: list[int], wanted: int = 1, patience: int | None = None) -> Telling:
        telling = Telling(self.cells, prompt, wanted, patience)
        self.batches.add(telling)
        return telling

    def finish(self, *tellings: Telling) -> None:
        for _ in range(1000):
            if all(telling.outcomes for telling in tellings):
                return
            self.batches.step()
        pytest.fail("it goes on for ever")

"""What a context holds: sequences of evaluated tokens, which stay for the next prompts that begin like them."""

from itertools import count
from typing import NamedTuple

from sidecar.engines.llama.runtimes.llama_cpp_generation import Generation
from sidecar.engines.llama.runtimes.llama_cpp_model import Context


class Sequence:
    """Tokens one behind the other. The first `held` are evaluated; the first `borrowed` take no room of their own."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.tokens: list[int] = []
        self.held = 0
        self.borrowed = 0
        self.used = 0
        self.generation: Generation | None = None

    @property
    def left(self) -> int:
        """How many tokens are to be evaluated before the next one can be chosen."""
        return len(self.tokens) - self.held


class Beginning(NamedTuple):
    """How many tokens a prompt has in common with a sequence."""

    sequence: Sequence
    shared: int

    @property
    def ready(self) -> bool:
        """Whether they are evaluated."""
        return self.shared <= self.sequence.held

    @property
    def rank(self) -> tuple[int, bool]:
        """The more tokens the better; then rather where they take no room of their own."""
        return self.shared, self.sequence.generation is not None


class Sequences:
    """The sequences of a context, which share its room."""

    def __init__(self, context: Context, number: int) -> None:
        self._context = context
        self._all = [Sequence(at) for at in range(number)]
        self._clock = count(1)

    @property
    def busy(self) -> list[tuple[Sequence, Generation]]:
        """Those with an answer in the making, and that."""
        return [(one, one.generation) for one in self._all if one.generation is not None]

    @property
    def _idle(self) -> list[Sequence]:
        return [one for one in self._all if one.generation is None]

    def beginning(self, tokens: list[int]) -> Beginning:
        """Return where most of the tokens are found. The last one is always left, for what follows it is wanted."""
        return max((self._beginning(one, tokens) for one in self._all), key=lambda found: found.rank)

    def _beginning(self, one: Sequence, tokens: list[int]) -> Beginning:
        shared = min(_common(one.tokens, tokens), len(tokens) - 1)
        whole = one.generation is None and shared == one.held
        return Beginning(one, shared if whole or self._context.weights.rewindable else 0)

    def fits(self, tokens: list[int], found: Beginning) -> bool:
        """Return whether there may be room for the tokens beside those of answers in the making."""
        shared = found.shared if found.sequence.generation else 0
        needed = sum(len(one.tokens) - one.borrowed for one, _ in self.busy) + len(tokens) - shared
        return needed <= self._context.size

    def place(self, generation: Generation, found: Beginning) -> None:
        """Begin or continue to make an answer, from what was found."""
        source, shared = found
        target = self._target(found)
        if target is not source:
            self.clear(target)
            if shared:
                self._context.share(source.number, target.number, shared)
        elif not self._context.keep(target.number, shared):
            self.clear(target)
            shared = 0
        target.tokens, target.held, target.generation = generation.tokens, shared, generation
        target.borrowed = shared if source.generation and target is not source else 0
        generation.begin(shared)

    def _target(self, found: Beginning) -> Sequence:
        """Return the sequence that loses least."""
        source, shared = found
        mostly_shared = source.generation is None and shared * 2 >= source.held
        return source if mostly_shared else min(self._idle, key=lambda one: one.used)

    def release(self, one: Sequence) -> None:
        """Keep what is evaluated, for others."""
        one.tokens, one.generation = one.tokens[: one.held], None
        one.used = next(self._clock)

    def clear(self, one: Sequence) -> None:
        """Forget all that the sequence holds."""
        self._context.keep(one.number, 0)
        one.tokens, one.held, one.borrowed, one.used, one.generation = [], 0, 0, 0, None

    def evict(self) -> bool:
        """Forget what was not used for the longest time; returns whether there was anything."""
        if kept := [one for one in self._idle if one.held]:
            self.clear(min(kept, key=lambda one: one.used))
        return bool(kept)


def _common(one: list[int], other: list[int]) -> int:
    """Return how many tokens the two begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))

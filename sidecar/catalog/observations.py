"""How quick models were in this session."""

from collections import deque
from collections.abc import Iterable
from typing import Final, TypeVar

from msgspec import Struct, field

from sidecar.schema.chat import Origin

Number = TypeVar("Number", int, float)

MAX_MODELS: Final = 256
"""Beyond that many, the model that was used longest ago is forgotten."""

KEPT: Final = 20
"""How many answers of a model count."""


class Pace(Struct, frozen=True):
    """Medians over a model's latest answers; `None` where nothing was seen."""

    first_token_ms: int | None = None
    output_tokens_per_second: float | None = None


class _Answers(Struct):
    first_token_ms: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT))
    output_tokens_per_second: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))


class Observations:
    """What was seen, by origin; in memory alone, and bounded."""

    def __init__(self) -> None:
        self._answers: dict[Origin, _Answers] = {}

    def record(self, origin: Origin, pace: Pace) -> None:
        """Take note of an answer; what is `None` in `pace` was not seen."""
        answers = self._answers.pop(origin, None) or _Answers()
        self._answers[origin] = answers
        if pace.first_token_ms is not None:
            answers.first_token_ms.append(pace.first_token_ms)
        if pace.output_tokens_per_second is not None:
            answers.output_tokens_per_second.append(pace.output_tokens_per_second)
        if len(self._answers) > MAX_MODELS:
            del self._answers[next(iter(self._answers))]

    def pace(self, origin: Origin) -> Pace:
        """Return how quick the model was."""
        answers = self._answers.get(origin, _NONE)
        return Pace(_median(answers.first_token_ms), _median(answers.output_tokens_per_second))


_NONE: Final = _Answers()


def _median(values: Iterable[Number]) -> Number | None:
    """Return the middle one, of two the lower one."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2] if ordered else None

"""Who may go next of those who use the same key; pure.

First come, first served, except that nobody waits for a model that is not his own.
"""

from collections import OrderedDict
from math import inf
from typing import Final, Generic, TypeVar

from msgspec import Struct, field

from sidecar.middleware.quotas import NOTHING, Mark, Need, Quotas
from sidecar.middleware.windows import Share, Window
from sidecar.schema.policies import RateLimits

MAX_MODELS: Final = 64
"""Of how many models of a key it is remembered what the provider said."""


class Turn(Struct, kw_only=True, eq=False):
    """One request's. `need` is what it surely takes, `tokens` what it may come to; it must begin before `deadline`.

    Who `returns` was refused before. `due` is when the turn will come, as far as is known; with `mark` it has.
    """

    quotas: Quotas
    need: Need
    tokens: int
    deadline: float
    returns: bool = False
    due: float = 0.0
    mark: Mark | None = None
    shares: tuple[Share, Share] | None = None


class _Ahead(Struct):
    """What those want who come before: those who wait for the key itself, and for each model all who wait."""

    of_key: Need = NOTHING
    of_models: dict[Quotas, Need] = field(default_factory=dict[Quotas, Need])

    def add(self, turn: Turn, of_key: Need) -> None:
        self.of_key += of_key
        self.of_models[turn.quotas] = self.of_models.get(turn.quotas, NOTHING) + turn.need


AnyTurn = TypeVar("AnyTurn", bound=Turn)


class Turns(Generic[AnyTurn]):
    """The queue for one key, its limits, and what is under way."""

    def __init__(self) -> None:
        self.queue: list[AnyTurn] = []
        self._limits = RateLimits()
        self._requests = Window()
        self._tokens = Window()
        self._under_way = 0
        self._models: OrderedDict[str, Quotas] = OrderedDict()

    @property
    def idle(self) -> bool:
        """Whether nobody waits and nothing is under way."""
        return not self.queue and not self._under_way

    def adopt(self, limits: RateLimits) -> None:
        """Hold everybody to these limits from now on."""
        self._limits = limits
        self._requests.limit, self._tokens.limit = limits.requests_per_minute, limits.tokens_per_minute

    def quotas(self, model: str) -> Quotas:
        """Return what is known of a model's limits."""
        found = self._models.get(model)
        if found is None:
            found = self._models[model] = Quotas()
            if len(self._models) > MAX_MODELS:
                self._models.popitem(last=False)
        else:
            self._models.move_to_end(model)
        return found

    def join(self, turn: AnyTurn) -> None:
        """Queue at the end, or where the request has been refused before, behind the others of that kind."""
        place = next((i for i, other in enumerate(self.queue) if turn.returns and not other.returns), len(self.queue))
        self.queue.insert(place, turn)

    def leave(self, turn: AnyTurn) -> None:
        """Forget a turn that will not be taken, if it still waits."""
        self.queue = [other for other in self.queue if other is not turn]

    def advance(self, now: float) -> tuple[list[AnyTurn], float]:
        """Begin every turn that has come. Return who left the queue, and when to look again if nothing happens.

        Whose deadline has passed, or will have when it would be his turn, leaves it, too.
        """
        left: list[AnyTurn] = []
        ahead, again = _Ahead(), inf
        queue, self.queue = self.queue, []
        for turn in queue:
            held = turn.quotas.due(ahead.of_models.get(turn.quotas, NOTHING), turn.need, now)
            turn.due = max(held, self._full_until(turn, ahead, now))
            if turn.due <= now and self._under_way < (self._limits.concurrency or inf):
                self._begin(turn, now)
                left.append(turn)
            elif turn.deadline <= now or turn.due > turn.deadline:
                left.append(turn)
            else:
                self.queue.append(turn)
                ahead.add(turn, self._counted(turn) if held <= now else NOTHING)
                again = min(again, turn.deadline, turn.due if turn.due > now else inf)
        return left, again

    def end(self, turn: Turn, used: Need) -> None:
        """Give back what a turn has not used."""
        self._under_way -= 1
        if turn.shares is not None:
            requests, tokens = turn.shares
            requests.settle(used.requests)
            tokens.settle(used.tokens)
        if not used.requests:
            turn.quotas.give_back(turn.need)

    def _full_until(self, turn: Turn, ahead: _Ahead, now: float) -> float:
        """Return from when on the key's own limits leave room."""
        wanted = ahead.of_key
        return max(self._requests.due(wanted.requests, 1, now), self._tokens.due(wanted.tokens, turn.tokens, now))

    def _counted(self, turn: Turn) -> Need:
        return Need(1, self._tokens.counted(turn.tokens))

    def _begin(self, turn: Turn, now: float) -> None:
        self._under_way += 1
        turn.mark = turn.quotas.take(turn.need)
        if self._limits.requests_per_minute or self._limits.tokens_per_minute:
            turn.shares = self._requests.take(1, now), self._tokens.take(turn.tokens, now)

"""What a provider has said of the rate limits of one model, and what that means for requests to come; pure.

A request is held back only where the provider would refuse it. What is used up comes back steadily until the reset, as
the providers' documents have it. Of the tokens only those of the question count, and those are reckoned low: a request
that comes too early is refused and told when to come again, one that waits for nothing just takes longer.
"""

from typing import Final

from msgspec import Struct

from sidecar.dialects.rate_headers import Allowance, Quantity
from sidecar.middleware.backoff import FIRST_S, JITTER

BELIEVED_S: Final = 120.0
"""How long a word counts. What is said of later may be over sooner, as limits are raised."""

UNTOLD_S: Final = FIRST_S * (1 - JITTER)
"""How long a refusal without a word holds others back: until the refused request comes again, at the earliest."""


class Need(Struct, frozen=True):
    """What requests surely take: their number, and of their questions so many tokens."""

    requests: int
    tokens: int

    def __add__(self, other: "Need") -> "Need":
        return Need(self.requests + other.requests, self.tokens + other.tokens)

    def __sub__(self, other: "Need") -> "Need":
        return Need(self.requests - other.requests, self.tokens - other.tokens)

    def of(self, quantity: Quantity) -> int:
        """Return how much that is of a quantity; how long answers will be is not known."""
        match quantity:
            case "requests":
                return self.requests
            case "output_tokens":
                return 0
            case _:
                return self.tokens


NOTHING: Final = Need(0, 0)


class Mark(Struct, frozen=True):
    """A request's place among those sent: its number, and what had been sent with it."""

    number: int
    sent: Need


class _Claim(Struct, frozen=True):
    """What was left at a time, when so much had been sent. All of it comes back within `span`, at `reset` at last."""

    remaining: int
    limit: int | None
    at: float
    reset: float
    span: float
    sent: Need

    def due(self, wanted: int) -> float:
        """Return from when on so much may be sent since then."""
        if wanted <= self.remaining:
            return self.at
        if self.limit is None:
            return self.reset
        if wanted <= self.limit:
            share = (wanted - self.remaining) / (self.limit - self.remaining)
            return self.at + share * (self.reset - self.at)
        return self.reset + (wanted - self.limit) / self.limit * self.span

    def seen_from(self, at: float, enough: int, sent: Need) -> "_Claim":
        """Return what will be left at a later time: `enough` at least, as the provider says."""
        assert self.limit is not None
        if at < self.at:
            return self
        share = (at - self.at) / (self.reset - self.at) if at < self.reset else 1.0
        back = int(self.remaining + share * (self.limit - self.remaining))
        left = min(max(back, enough), self.limit)
        return _Claim(left, self.limit, at, max(at, self.reset), self.span, sent)


class Quotas:
    """The provider's latest words, and what has been sent since the request that they answered."""

    def __init__(self) -> None:
        self._claims: dict[Quantity, _Claim] = {}
        self._numbered = self._latest = 0
        self._sent = NOTHING
        self._held = self._believed = float("-inf")

    @property
    def count_tokens(self) -> bool:
        """Whether it matters how many tokens a question has."""
        return len(self._claims) > ("requests" in self._claims)

    def due(self, ahead: Need, need: Need, now: float) -> float:
        """Return from when on a request with this need may go, behind others; that may be in the past."""
        if now >= self._believed:
            return now
        dues = (claim.due(self._wanted(claim, quantity, ahead, need)) for quantity, claim in self._claims.items())
        return max(self._held, *dues, float("-inf"))

    def _wanted(self, claim: _Claim, quantity: Quantity, ahead: Need, need: Need) -> int:
        """Return what will have been sent since the claim; a request larger than the limit is as large as that."""
        own = max(need.of(quantity), 1)
        before = (self._sent - claim.sent + ahead).of(quantity)
        return before + (own if claim.limit is None else min(own, claim.limit))

    def take(self, need: Need) -> Mark:
        """Note that a request is sent."""
        self._numbered += 1
        self._sent += need
        return Mark(self._numbered, self._sent)

    def give_back(self, need: Need) -> None:
        """Note that a request was not sent after all."""
        self._sent -= need

    def heard(self, mark: Mark, said: dict[Quantity, Allowance], now: float) -> None:
        """Take note of what an answer says, unless a later request's was heard before."""
        if not said or mark.number < self._latest:
            return
        self._latest, self._believed = mark.number, now + BELIEVED_S
        self._claims = {
            quantity: _Claim(one.remaining, one.limit, now, now + one.reset_s, one.reset_s, mark.sent)
            for quantity, one in said.items()
        }

    def refused(self, need: Need, told_s: float | None, now: float) -> None:
        """Hold all requests back after one was refused: for as long as was told, or until what is used up is back."""
        if told_s is None:
            until = max((claim.reset for claim in self._claims.values() if not claim.remaining), default=now + UNTOLD_S)
        else:
            until = now + told_s
            self._claims = {
                quantity: claim.seen_from(until, need.of(quantity), self._sent)
                for quantity, claim in self._claims.items()
                if claim.limit is not None
            }
        self._held, self._believed = max(self._held, until), now + BELIEVED_S

"""Texts on their way to being vectors."""

import asyncio
from functools import partial

from sidecar.handler import Embedded, Engine, Target
from sidecar.methods.services import Services
from sidecar.middleware.budget import Wish, within
from sidecar.middleware.meter import Ending, entry_of
from sidecar.middleware.retry import Pauses, again
from sidecar.schema.chat import Warning
from sidecar.schema.embeddings import EmbeddingRequest, EmbeddingResult
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Attempt, Cost, Usage
from sidecar.transcript import estimated_tokens


class Texts:
    """The texts of one request, for one target."""

    def __init__(self, services: Services, params: EmbeddingRequest, target: Target, engine: Engine) -> None:
        self._policies = services.policies()
        self._params = params
        self._target = target
        self._engine = engine
        self._pauses = Pauses(None)

    async def turned(self) -> EmbeddingResult:
        """Return the vectors, within the budgets; what fails for a passing reason is sent again."""
        warnings: list[Warning] = []
        wish = Wish(
            target=self._target,
            tags=tuple(self._params.tags),
            usage=partial(_estimate, self._params),
            warnings=warnings,
            record=self._record,
        )
        async with within(self._policies.budgets, self._policies.prices, wish):
            embedded, attempt = await again(self._ask, self._mend)
        assert attempt.usage is not None
        return EmbeddingResult(
            vectors=embedded.vectors,
            usage=attempt.usage,
            cost=attempt.cost or Cost(amount=None),
            warnings=[*warnings, *embedded.warnings],
            provider=self._target.id,
            model=self._target.model,
        )

    async def _ask(self) -> tuple[Embedded, Attempt]:
        """Ask once, and have that recorded."""
        ending, usage, cost = Ending(), None, None
        try:
            with ending:
                embedded = await self._engine.embed(self._target, self._params)
                usage = embedded.usage or _estimate(self._params)
                cost = embedded.cost or self._policies.prices.cost(self._target, usage)
                if len(embedded.vectors) != len(self._params.input):
                    raise SidecarError("malformed_response", "The provider did not return one vector per text.")
        finally:
            attempt = ending.attempt(self._target, usage, cost)
            self._record(attempt)
        return embedded, attempt

    async def _mend(self, error: SidecarError) -> bool:
        pause = self._pauses.next(error)
        if pause is None:
            return False
        await asyncio.sleep(pause)
        return True

    def _record(self, attempt: Attempt) -> None:
        entry = entry_of("embeddings", self._target.provider.id, tuple(self._params.tags), attempt)
        self._policies.ledger.enter(entry)


def _estimate(params: EmbeddingRequest) -> Usage:
    return Usage(input_tokens=sum(map(estimated_tokens, params.input)), output_tokens=0, source="estimated")

"""`models.recommend`."""

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

from sidecar.concurrency import TaskGroup, move_on_after
from sidecar.handler import Target
from sidecar.methods.models import asked, completed
from sidecar.methods.services import Services
from sidecar.rpc.router import Method, Request
from sidecar.schema.chat import Origin
from sidecar.schema.errors import ErrorType, SidecarError
from sidecar.schema.models import ModelInfo, Recommendations, RecommendParams, Unavailable
from sidecar.schema.providers import ProviderInfo

if TYPE_CHECKING:
    from sidecar.catalog.ranking import Candidate

ASK_S: Final = 5.0
"""How long a provider may take to list its models."""


def recommend(services: Services, params: RecommendParams, request: Request) -> Awaitable[Recommendations]:
    """Rank the models of all providers that can be used."""
    del request
    infos = {info.id: info for info in services.targets.listed()}
    survey = _Survey(services)
    if params.providers is not None:
        return survey.run(list(dict.fromkeys(params.providers)), params)
    survey.optional = {id_ for id_, info in infos.items() if info.local and not info.configured}
    usable = [id_ for id_, info in infos.items() if _usable(info) and (info.local or not params.local_only)]
    return survey.run(usable, params)


def _usable(info: ProviderInfo) -> bool:
    return info.configured or info.local or info.key.source != "none"


class _Survey:
    """Asks providers for their models, all at once. Of those in `optional` it is no news that they do not answer."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._found: dict[str, list[Candidate]] = {}
        self._failed: dict[str, ErrorType] = {}
        self.optional: set[str] = set()

    async def run(self, providers: list[str], params: RecommendParams) -> Recommendations:
        """Return the best of what `providers` have; the order of their answers does not matter."""
        from sidecar.catalog.ranking import recommended  # a start does without it

        async with TaskGroup() as tasks:
            for id_ in providers:
                tasks.start_soon(self._ask, id_)
        candidates = [candidate for id_ in providers for candidate in self._found.get(id_, ())]
        silent = [id_ for id_ in providers if id_ in self._failed and id_ not in self.optional]
        unavailable = [Unavailable(id_, self._failed[id_]) for id_ in silent]
        return Recommendations(recommended(candidates, params), unavailable)

    async def _ask(self, id_: str) -> None:
        asking = move_on_after(ASK_S)
        try:
            async with asking:
                self._found[id_] = await self._candidates(id_)
        except SidecarError as error:
            self._failed[id_] = error.type
        if asking.cancelled_caught:
            self._failed[id_] = "timeout"

    async def _candidates(self, id_: str) -> "list[Candidate]":
        target = await self._services.targets.resolve(self._services.targets.choose_provider(id_))
        models = await asyncio.to_thread(
            completed, await asked(self._services, target), target, self._services.policies().prices
        )
        return [self._candidate(info, target) for info in models if info.problem is None]

    def _candidate(self, info: ModelInfo, target: Target) -> "Candidate":
        from sidecar.catalog.machine import has_room  # a start does without them
        from sidecar.catalog.ranking import Candidate

        local, size = target.provider.local, info.memory_bytes or info.size_bytes
        return Candidate(
            info=info,
            key=target.key is not None,
            local=local,
            fits=has_room(size, self._services.limits.local_memory_bytes) if local and size is not None else None,
            pace=self._services.observations.pace(Origin(target.id, target.endpoint, info.id)),
        )


METHODS: Final = (
    Method(
        name="models.recommend",
        summary="Ranks the models of all providers that can be used. A provider that fails is a result, not an error.",
        params=RecommendParams,
        result=Recommendations,
        handler=recommend,
    ),
)

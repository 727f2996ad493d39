"""`cache.stats`, `cache.clear`."""

from collections.abc import Awaitable
from typing import Final

from sidecar.methods.services import Services
from sidecar.rpc.router import Method, Request
from sidecar.schema.cache import CacheCleared, CacheClearParams, CacheStats
from sidecar.schema.session import Empty


def stats(services: Services, params: Empty, request: Request) -> Awaitable[CacheStats]:
    """Tell what is kept, and how often that was of use."""
    del params, request
    return services.policies().answers.stats()


def clear(services: Services, params: CacheClearParams, request: Request) -> Awaitable[CacheCleared]:
    """Drop kept answers; the reply follows when they are gone."""
    del request
    return _cleared(services, params)


async def _cleared(services: Services, params: CacheClearParams) -> CacheCleared:
    return CacheCleared(await services.policies().answers.clear(params.tag))


METHODS: Final = (
    Method(
        name="cache.stats",
        summary="Tells how many answers are kept, and how often one was of use.",
        params=Empty,
        result=CacheStats,
        handler=stats,
    ),
    Method(
        name="cache.clear",
        summary="Drops all kept answers, or those that were asked for with a tag.",
        params=CacheClearParams,
        result=CacheCleared,
        handler=clear,
    ),
)

"""The response cache: what it holds."""

from msgspec import Struct

from sidecar.schema.ledger import StorageState
from sidecar.schema.policies import Tag


class CacheStats(Struct, frozen=True, kw_only=True):
    """`entries` and `bytes` are those of all kept answers, the rest counts from the start of this process.

    `joined` requests had their answer from one that was being asked at the same time.
    """

    entries: int
    bytes: int
    max_bytes: int
    hits: int
    misses: int
    joined: int
    stored: int
    storage: StorageState


class CacheClearParams(Struct, frozen=True, omit_defaults=True):
    """Which answers to drop: all, or those that were asked for with `tag`."""

    tag: Tag | None = None


class CacheCleared(Struct, frozen=True):
    """How many answers were dropped."""

    removed: int

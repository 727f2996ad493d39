"""How a request is treated on its way: deadlines, retries, fallbacks, the response cache, privacy, tags."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from sidecar.schema.errors import ErrorType

MAX_TIMEOUT_MS: Final = 7 * 24 * 3600 * 1000
MAX_RETRIES: Final = 10
MAX_FALLBACKS: Final = 8
MAX_TAGS: Final = 8
MAX_TAG: Final = 64
MAX_TTL_S: Final = 366 * 24 * 3600
MAX_PER_MINUTE: Final = 10**9
MAX_CONCURRENCY: Final = 1024

Milliseconds = Annotated[int, Meta(ge=1, le=MAX_TIMEOUT_MS)]
Tag = Annotated[str, Meta(min_length=1, max_length=MAX_TAG)]
Tags = Annotated[list[Tag], Meta(max_length=MAX_TAGS)]
PerMinute = Annotated[int, Meta(ge=1, le=MAX_PER_MINUTE)]
CacheMode = Literal["off", "read", "write", "on"]


class Timeouts(Struct, frozen=True, omit_defaults=True):
    """Deadlines in milliseconds, over the provider's defaults. `total` is unlimited unless given."""

    connect: Milliseconds | None = None
    first_token: Milliseconds | None = None
    idle: Milliseconds | None = None
    total: Milliseconds | None = None


class RetryOptions(Struct, frozen=True, omit_defaults=True):
    """How often a request that failed for a reason that may pass is sent again, before anything of its answer came."""

    max_retries: Annotated[int, Meta(ge=0, le=MAX_RETRIES)] = 2


class Fallback(Struct, frozen=True, omit_defaults=True):
    """Whom to ask instead, as long as nothing of an answer has come.

    `on` are the types of error after which; without it, those that another provider or model may not have.
    """

    provider: str
    model: str | None = None
    on: list[ErrorType] = []


Fallbacks = Annotated[list[Fallback], Meta(max_length=MAX_FALLBACKS)]


class CacheOptions(Struct, frozen=True, omit_defaults=True):
    """Whether a kept answer to the same request will do (`read`), whether this one is kept (`write`), or both (`on`).

    Kept answers are `ttl_s` seconds old at most, by the wish of whoever asks as of whoever had them kept.
    """

    mode: CacheMode = "on"
    ttl_s: Annotated[int, Meta(ge=1, le=MAX_TTL_S)] | None = None


class Privacy(Struct, frozen=True, omit_defaults=True):
    """Where a request may go: with `local_only` nowhere beyond this machine, else to `allow_providers` if given."""

    local_only: bool = False
    allow_providers: list[str] | None = None


class RateLimits(Struct, frozen=True, omit_defaults=True):
    """What the provider, or the host, wants not to be exceeded; requests wait for their turn. No limit unless given."""

    requests_per_minute: PerMinute | None = None
    tokens_per_minute: PerMinute | None = None
    concurrency: Annotated[int, Meta(ge=1, le=MAX_CONCURRENCY)] | None = None

"""How long a request may take, and how often it is tried."""

from typing import Annotated, Final

from msgspec import Meta, Struct

MAX_TIMEOUT_MS: Final = 7 * 24 * 3600 * 1000
MAX_RETRIES: Final = 10

Milliseconds = Annotated[int, Meta(ge=1, le=MAX_TIMEOUT_MS)]


class Timeouts(Struct, frozen=True, omit_defaults=True):
    """Deadlines in milliseconds, over the provider's defaults. `total` is unlimited unless given."""

    connect: Milliseconds | None = None
    first_token: Milliseconds | None = None
    idle: Milliseconds | None = None
    total: Milliseconds | None = None


class RetryOptions(Struct, frozen=True, omit_defaults=True):
    """How often a request that failed for a reason that may pass is sent again, before anything of its answer came."""

    max_retries: Annotated[int, Meta(ge=0, le=MAX_RETRIES)] = 2

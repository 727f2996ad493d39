"""How long a request may take."""

from typing import Annotated, Final

from msgspec import Meta, Struct

MAX_TIMEOUT_MS: Final = 7 * 24 * 3600 * 1000

Milliseconds = Annotated[int, Meta(ge=1, le=MAX_TIMEOUT_MS)]


class Timeouts(Struct, frozen=True, omit_defaults=True):
    """Deadlines in milliseconds, over the provider's defaults. `total` is unlimited unless given."""

    connect: Milliseconds | None = None
    first_token: Milliseconds | None = None
    idle: Milliseconds | None = None
    total: Milliseconds | None = None

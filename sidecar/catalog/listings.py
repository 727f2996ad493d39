"""What providers lately told of their models, so that they need not be asked again at once."""

from typing import Final

from msgspec import Struct

from sidecar.schema.models import ModelInfo

FRESH_S: Final = 600.0
"""How long a list is good for prices and limits."""

MAX_LISTS: Final = 64
"""Beyond that many, the oldest list is forgotten."""


class _Listing(Struct, frozen=True):
    models: dict[str, ModelInfo]
    until: float


class Listings:
    """The latest lists, by provider and endpoint; in memory alone, and bounded. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._listings: dict[tuple[str, str], _Listing] = {}

    def remember(self, provider: str, endpoint: str, models: list[ModelInfo], now: float) -> None:
        """Keep a list in place of an earlier one."""
        self._listings.pop((provider, endpoint), None)
        self._listings[provider, endpoint] = _Listing({info.id: info for info in models}, now + FRESH_S)
        if len(self._listings) > MAX_LISTS:
            del self._listings[next(iter(self._listings))]

    def find(self, provider: str, endpoint: str, now: float) -> dict[str, ModelInfo] | None:
        """Return the models by id, or None where there is no list that is fresh."""
        listing = self._listings.get((provider, endpoint))
        return None if listing is None or now >= listing.until else listing.models

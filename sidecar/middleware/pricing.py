"""What tokens cost at a target: by its own list, by the packaged tables, or else by the host's."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sidecar.amounts import written
from sidecar.catalog.listings import Listings
from sidecar.catalog.user_prices import UserPrice
from sidecar.handler import Target
from sidecar.schema.models import ModelPrice, PriceSource
from sidecar.schema.usage import Cost, Usage

if TYPE_CHECKING:
    from sidecar.catalog.prices import Price


class Prices:
    """Knows prices. `own` are those of the host, the first that matches counting."""

    def __init__(self, own: Sequence[UserPrice] = (), listings: Listings | None = None) -> None:
        self._own = tuple(own)
        self._listings = listings or Listings()

    def cost(self, target: Target, usage: Usage) -> Cost | None:
        """Return what so many tokens cost; None where nobody knows."""
        from sidecar.catalog.costs import cost_of  # a start does without it

        if target.provider.free:
            return Cost(amount="0", source="free")
        for source, price in self._known(target):
            amount = cost_of(price, usage)
            if amount is not None:
                return Cost(amount=written(amount), source=source, estimated=usage.source == "estimated")
        return None

    def savings(self, target: Target, usage: Usage) -> Decimal:
        """Return how much less tokens cost than without the provider's prompt cache."""
        from sidecar.catalog.costs import prompt_savings  # a start does without it

        if target.provider.free or not (usage.cache_read_tokens or usage.cache_write_tokens):
            return Decimal()
        found = (prompt_savings(price, usage) for _, price in self._known(target))
        return next((saved for saved in found if saved is not None), Decimal())

    def own(self, target: Target, model: str) -> ModelPrice | None:
        """Return what the host says that a model costs, of a provider or of one instance of it."""
        names = (target.id, target.provider.id)
        found = (price for price in self._own if any(price.matches(name, model) for name in names))
        return next((price.shown() for price in found), None)

    def _known(self, target: Target) -> "Iterator[tuple[PriceSource, Price]]":
        """Yield what is said of the model's price, the best word first."""
        from sidecar.catalog.costs import price_of_list
        from sidecar.catalog.prices import price_of

        listed = self._listings.find(target.id, target.endpoint, time.monotonic()) or {}
        info = listed.get(target.model)
        if info is not None and info.price is not None and info.price.source == "provider":
            yield "provider", price_of_list(info.price)
        packaged = price_of(target.provider.id, target.model, datetime.now(UTC))
        if packaged is not None:
            yield "table", packaged
        own = self.own(target, target.model)
        if own is not None:
            yield "user", price_of_list(own)

"""What methods work with; made by the app, handed to every handler."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from sidecar.catalog.listings import Listings
from sidecar.catalog.observations import Observations
from sidecar.credentials import Credentials
from sidecar.engines.shelf import Shelf
from sidecar.handler import ChatHandler
from sidecar.middleware.pricing import Prices
from sidecar.middleware.treasury import Budgets
from sidecar.schema.session import Limits
from sidecar.storage.answers import Answers
from sidecar.storage.database import Database
from sidecar.storage.ledger import Ledger
from sidecar.streams import Streams
from sidecar.targets import Targets


class Services(Struct, kw_only=True):
    """The parts of the running sidecar.

    `redact` hides keys in what is told. `watch_host` ends the process when the process of the given id dies; `end` ends
    it now.
    """

    limits: Limits
    targets: Targets
    credentials: Credentials
    streams: Streams
    observations: Observations
    listings: Listings
    chat: ChatHandler
    database: Database
    ledger: Ledger
    answers: Answers
    prices: Prices
    budgets: Budgets
    engines: Shelf
    redact: Callable[[str], str]
    allowed_paths: tuple[Path, ...]
    app_id: str | None
    started_ns: int
    watch_host: Callable[[int], None]
    end: Callable[[], None]

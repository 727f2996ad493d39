"""What methods work with; made by the app, handed to every handler."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from sidecar.catalog.listings import Listings
from sidecar.catalog.observations import Observations
from sidecar.credentials import Credentials
from sidecar.engines.shelf import Shelf
from sidecar.schema.session import Limits
from sidecar.streams import Streams
from sidecar.targets import Targets
from sidecar.tasks import Tasks

if TYPE_CHECKING:
    from sidecar.library.library import Library
    from sidecar.policies import Policies


class Services(Struct, kw_only=True):
    """The parts of the running sidecar.

    `policies` are loaded when they are first asked for, or soon after `prepare` was called, the `library` when it is
    first needed. `redact` hides keys in what is told. `watch_host` ends the process when the process of the given id
    dies; `end` ends it now.
    """

    limits: Limits
    targets: Targets
    credentials: Credentials
    streams: Streams
    tasks: Tasks
    observations: Observations
    listings: Listings
    policies: "Callable[[], Policies]"
    prepare: Callable[[], None]
    engines: Shelf
    library: "Callable[[], Awaitable[Library]]"
    redact: Callable[[str], str]
    allowed_paths: tuple[Path, ...]
    app_id: str | None
    started_ns: int
    watch_host: Callable[[int], None]
    end: Callable[[], None]

"""How long a question waits for its model to be loaded."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from sidecar.schema.events import Status

NS_PER_MS: Final = 1_000_000


class Loading:
    """Passes on what is told of a load, and measures it, from the first word of it up to another or `stop`."""

    def __init__(self, say: Callable[[Status], Awaitable[None]]) -> None:
        self._say = say
        self._ns = 0
        self._since: int | None = None

    async def tell(self, status: Status) -> None:
        """Pass a status on."""
        if status.state != "loading_model":
            self.stop()
        elif self._since is None:
            self._since = time.monotonic_ns()
        await self._say(status)

    def stop(self) -> int:
        """Return how many milliseconds it took; 0 where nothing had to be loaded."""
        if self._since is not None:
            self._ns += time.monotonic_ns() - self._since
            self._since = None
        return self._ns // NS_PER_MS

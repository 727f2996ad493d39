"""Connections that wait for another question."""

import asyncio
from typing import Final

from sidecar.engines.connection import Connection
from sidecar.engines.sleep import SleepWatch

KEPT_CONNECTIONS: Final = 20
"""Idle ones, to all servers together."""

KEPT_SECONDS: Final = 60.0


class Kept:
    """Idle connections: to each server the last used goes out first; the one longest idle is the first to be closed.

    None is used after the machine has slept: the other ends are gone, and nothing tells.
    """

    def __init__(self) -> None:
        self._since: dict[Connection, float] = {}
        self._by_origin: dict[str, list[Connection]] = {}
        self._watch = SleepWatch()

    def take(self, origin: str) -> Connection | None:
        """Return a connection to `origin` over which another question can be asked, if there is one."""
        self._expire()
        idle = self._by_origin.get(origin)
        while idle:
            connection = idle.pop()
            del self._since[connection]
            if connection.begin():
                return connection
            connection.abort()
        return None

    def put(self, connection: Connection) -> None:
        """Keep a connection for a while."""
        self._expire()
        connection.rest()
        self._since[connection] = asyncio.get_running_loop().time()
        self._by_origin.setdefault(connection.origin, []).append(connection)
        if len(self._since) > KEPT_CONNECTIONS:
            self._drop_oldest()

    def clear(self) -> None:
        """Close them all."""
        while self._since:
            self._drop_oldest()

    def _expire(self) -> None:
        if self._watch.slept():
            self.clear()
        limit = asyncio.get_running_loop().time() - KEPT_SECONDS
        while self._since and next(iter(self._since.values())) < limit:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        connection = next(iter(self._since))
        del self._since[connection]
        self._by_origin[connection.origin].remove(connection)
        connection.abort()

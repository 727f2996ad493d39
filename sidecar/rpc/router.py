"""A method is a row: dispatch, schema and documentation come from it."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from msgspec import Raw, Struct

from sidecar.rpc.messages import Id, decode_params, decoder
from sidecar.schema.errors import ErrorType, SidecarError

Admit = Callable[[int], None]


class Connection(Protocol):
    """What a request may do to the connection it came by."""

    initialized: bool

    def request(self, id_: Id) -> "Request | None": ...
    def admit(self, request: "Request", size: int) -> None: ...
    def finish(self, grace: float | None, but: "Request | None" = None) -> Awaitable[None]: ...


class Request:
    """A request in progress; `id` is None for a notification.

    `cancel` ends it, and `hang_up` does so when the session ends, where it would not end by itself. `after_reply` are
    called as soon as its reply is on its way.
    """

    __slots__ = ("after_reply", "cancel", "connection", "hang_up", "id", "size")

    def __init__(self, id_: Id | None, size: int, connection: Connection) -> None:
        self.id = id_
        self.size = size
        self.connection = connection
        self.cancel: Callable[[], None] = lambda: None
        self.hang_up: Callable[[], None] | None = None
        self.after_reply: list[Callable[[], None]] = []

    def admit(self, size: int) -> None:
        """Count what the request holds beyond its own line; raises `server_busy` where all together hold too much."""
        self.connection.admit(self, size)


Handler = Callable[[Any, Any, Request], Any]
"""`handler(services, params, request)` returns the result, or an awaitable of it.

It is a plain function: what it does before it returns takes effect in the order of arrival. An awaitable is run in a
task of its own, and may be cancelled.
"""


class Method(Struct, frozen=True, kw_only=True):
    """One method. `errors` are those it adds to the ones that every method can answer with."""

    name: str
    summary: str
    params: type
    result: type
    handler: Handler
    errors: tuple[ErrorType, ...] = ()
    batchable: bool = False
    before_initialize: bool = False
    unlimited: bool = False
    """Whether it is answered however busy the sidecar is."""


class NotificationRow(Struct, frozen=True, kw_only=True):
    """One notification, in one direction."""

    name: str
    summary: str
    params: type
    direction: str


class Router:
    """Finds the method of a name and decodes its params."""

    def __init__(self, methods: Iterable[Method], services: Any) -> None:
        self._methods = {method.name: method for method in methods}
        self._services = services

    def find(self, name: str) -> Method:
        """Return the row, or raise `method_not_found`."""
        method = self._methods.get(name)
        if method is None:
            raise SidecarError("method_not_found", f'There is no method "{name[:100]}".')
        return method

    def call(self, method: Method, params: Raw, request: Request) -> Any:
        """Return the method's result, or an awaitable of it."""
        return method.handler(self._services, decode_params(decoder(method.params), params), request)

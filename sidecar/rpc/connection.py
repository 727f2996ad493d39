"""One host, one connection: every request with an id is answered exactly once, in one place."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self

from msgspec import Struct

from sidecar.concurrency import CancelScope, TaskGroup, move_on_after
from sidecar.rpc import messages
from sidecar.rpc.lines import Oversized
from sidecar.rpc.messages import ErrorReply, Id, Ignored, Incoming, Invalid, Reply
from sidecar.rpc.router import Method, Request, Router
from sidecar.rpc.stdio import Outbox
from sidecar.schema.errors import SidecarError
from sidecar.schema.session import CancelRequestParams

log: Final = logging.getLogger("sidecar.rpc")

CANCEL: Final = "$/cancelRequest"
BUSY_RETRY_MS: Final = 1000

Post = Callable[[Reply | ErrorReply], None]


class HostConnection:
    """Receives lines, runs requests in `tasks`, writes replies to `outbox`. `redact` hides secrets in what is told."""

    def __init__(self, router: Router, outbox: Outbox, tasks: TaskGroup, redact: Callable[[str], str]) -> None:
        self.initialized = False
        self._router = router
        self._outbox = outbox
        self._limits = outbox.limits
        self._tasks = tasks
        self.redact = redact
        self._pending: dict[Id, Request] = {}
        self._running: set[Request] = set()
        self._admitted_bytes = 0
        self._closing = False
        self._expired = False
        self._settled = asyncio.Event()

    def receive(self, line: bytes | Oversized) -> None:
        """Handle one line of input."""
        if isinstance(line, Oversized):
            error = SidecarError("message_too_large", hint=f"A line may have {self._limits.max_message_bytes} bytes.")
            self._post(_refusal(messages.find_id(line.head, line.tail), error))
            return
        message = messages.decode(line, self._limits.max_batch)
        if isinstance(message, list):
            self._receive_batch(message)
        else:
            self._receive_one(message, self._post)

    def request(self, id_: Id) -> Request | None:
        """Return the request in progress that has this id."""
        return self._pending.get(id_)

    def _post(self, reply: Reply | ErrorReply) -> None:
        self._outbox.write(messages.encode(reply))

    def _receive_one(self, message: Incoming | Invalid | Ignored, post: Post) -> None:
        if isinstance(message, Incoming):
            if message.method == CANCEL and message.id is None:
                self._cancel(message)
            else:
                self._call(message, post)
        elif isinstance(message, Invalid):
            post(_refusal(message.id, message.error))

    def _receive_batch(self, batch: list[Incoming | Invalid | Ignored]) -> None:
        replies = _BatchReply(batch, self._outbox)
        for message in batch:
            refusal = self._unbatchable(message)
            self._receive_one(refusal or message, replies.post)

    def _unbatchable(self, message: Incoming | Invalid | Ignored) -> Invalid | None:
        if not isinstance(message, Incoming) or message.id is None:
            return None
        try:
            batchable = self._router.find(message.method).batchable
        except SidecarError as error:
            return Invalid(message.id, error)
        return None if batchable else Invalid(message.id, SidecarError("not_batchable"))

    def _cancel(self, message: Incoming) -> None:
        try:
            params = messages.decode_params(messages.decoder(CancelRequestParams), message.params)
        except SidecarError as error:
            log.debug("a cancellation could not be read: %s", error)
            return
        if request := self._pending.get(params.id):
            request.cancel()

    def _call(self, message: Incoming, post: Post) -> None:
        """Take effect of what the method does at once; run the rest, if any, in a task."""
        request = Request(message.id, message.size, self)
        scope = CancelScope()
        request.cancel = scope.cancel
        answer = _Answer(self, request, post)
        with answer:
            method = self._admit(message, request)
            outcome = self._router.call(method, message.params, request)
            if inspect.isawaitable(outcome):
                self._tasks.start_soon(self._finish, answer, outcome, scope)
            else:
                answer.give(outcome)

    async def _finish(self, answer: "_Answer", outcome: Awaitable[Any], scope: CancelScope) -> None:
        with answer:
            async with scope:
                answer.give(await outcome)
            if scope.cancelled_caught:
                raise SidecarError("shutting_down" if self._expired else "request_cancelled")

    def _admit(self, message: Incoming, request: Request) -> Method:
        if message.id is not None and message.id in self._pending:
            request.id = None
            raise _Refused(message.id, SidecarError("duplicate_id"))
        method = self._router.find(message.method)
        if self._closing:
            raise SidecarError("shutting_down")
        if not self.initialized and not method.before_initialize:
            raise SidecarError("not_initialized")
        if not method.unlimited:
            self._make_room(message.size)
        self._enter(request)
        return method

    def _make_room(self, size: int) -> None:
        full = len(self._running) >= self._limits.max_requests
        if full or self._admitted_bytes + size > self._limits.max_admitted_bytes:
            raise SidecarError("server_busy", retry_after_ms=BUSY_RETRY_MS)

    def admit(self, request: Request, size: int) -> None:
        """Count bytes that a request in progress has come to hold, until it is answered."""
        if self._admitted_bytes + size > self._limits.max_admitted_bytes:
            raise SidecarError("server_busy", retry_after_ms=BUSY_RETRY_MS)
        request.size += size
        self._admitted_bytes += size

    def _enter(self, request: Request) -> None:
        self._running.add(request)
        self._admitted_bytes += request.size
        if request.id is not None:
            self._pending[request.id] = request

    def leave(self, request: Request) -> None:
        """Forget a request that has been answered."""
        if request in self._running:
            self._running.discard(request)
            self._admitted_bytes -= request.size
            if request.id is not None:
                del self._pending[request.id]
            self._settled.set()
            self._settled = asyncio.Event()
        for done in request.after_reply:
            done()

    def finish(self, grace: float | None, but: Request | None = None) -> Awaitable[None]:
        """Take no more requests, end those that end with the session, and return what waits for the others.

        After `grace` seconds what is left is cancelled and answered with `shutting_down`.
        """
        self._closing = True
        for request in tuple(self._running):
            if request.hang_up is not None and grace is not None:
                request.hang_up()
        return self._settle(grace, but)

    async def _settle(self, grace: float | None, but: Request | None) -> None:
        async with move_on_after(grace):
            await self._idle(but)
        self._expired = True
        for request in self._running - {but}:
            request.cancel()
        async with move_on_after(grace or 0):
            await self._idle(but)

    async def _idle(self, but: Request | None) -> None:
        while self._running - {but}:
            await self._settled.wait()


class _Refused(Exception):  # noqa: N818 - control flow inside this module
    """A request that must be answered although its id belongs to another one."""

    def __init__(self, id_: Id, error: SidecarError) -> None:
        self.id = id_
        self.error = error


class _Answer:
    """Settles one request, with a result or with whatever was raised."""

    def __init__(self, connection: HostConnection, request: Request, post: Post) -> None:
        self._connection = connection
        self._request = request
        self._post = post

    def give(self, result: Any) -> None:
        """Reply, unless it was a notification."""
        if self._request.id is not None:
            self._post(Reply(self._request.id, result))
        self._connection.leave(self._request)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False
        if isinstance(error, _Refused):
            self._post(_refusal(error.id, error.error))
        elif self._request.id is not None:
            told = _as_sidecar_error(error).to_object().redacted(self._connection.redact)
            self._post(ErrorReply(self._request.id, told))
        self._connection.leave(self._request)
        return True


def _as_sidecar_error(error: Exception) -> SidecarError:
    if isinstance(error, SidecarError):
        return error
    log.error("a request failed unexpectedly", exc_info=error)
    return SidecarError("internal_error")


def _refusal(id_: Id | None, error: SidecarError) -> ErrorReply:
    return ErrorReply(id_, error.to_object())


class _BatchReply:
    """Collects the replies to a batch, and posts them together when the last one is there."""

    def __init__(self, batch: list[Incoming | Invalid | Ignored], outbox: Outbox) -> None:
        self._missing = sum(isinstance(m, Invalid) or (isinstance(m, Incoming) and m.id is not None) for m in batch)
        self._replies: list[Struct] = []
        self._outbox = outbox

    def post(self, reply: Reply | ErrorReply) -> None:
        self._replies.append(reply)
        if len(self._replies) == self._missing:
            self._outbox.write(messages.encode(self._replies))

"""The host's end of a sidecar: starts the process, calls it, and sees it off."""

import contextlib
import os
import sys
from collections.abc import Callable
from itertools import count
from typing import Any, Final, TypeVar

import anyio
import msgspec
from anyio.abc import ByteReceiveStream, Process, TaskGroup
from msgspec import UNSET, Raw, Struct, UnsetType

from sidecar.schema.chat import CancelParams, CancelResult, ChatResult, StreamRequest
from sidecar.schema.errors import ErrorObject, SidecarError
from sidecar.schema.events import StreamChunk, StreamStatus
from sidecar.schema.session import (
    PROTOCOL_VERSION,
    CancelRequestParams,
    ClientInfo,
    Empty,
    InitializeParams,
    InitializeResult,
)
from sidecar.schema.tasks import TaskProgress

NEWLINE: Final = b"\n"
SHUTDOWN_S: Final = 5.0
"""How long the sidecar may take to reply to `shutdown`, and then to exit, before it is killed."""
NEW_PROCESS_GROUP: Final = 0x200
"""Keeps Ctrl-C from the sidecar on Windows, as a session of its own does elsewhere."""

NOTIFICATIONS: Final[dict[str, type[StreamChunk | StreamStatus]]] = {
    "stream.chunk": StreamChunk,
    "stream.status": StreamStatus,
}
PROGRESS: Final = "task.progress"

T = TypeVar("T")
Listener = Callable[[StreamChunk | StreamStatus], None]
Watcher = Callable[[TaskProgress], None]
Log = Callable[[bytes], None]


class CallFailed(Exception):  # noqa: N818 - what happened, in the words of the protocol
    """The sidecar replied with an error; or it has gone, which is the error `connection_closed`."""

    def __init__(self, error: ErrorObject) -> None:
        super().__init__(error.message)
        self.error = error


class Lines:
    """Joins pieces of bytes, and splits them at 0x0A alone."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` completes, without their line feeds."""
        *ends, rest = data.split(NEWLINE)
        lines = [b"".join([*self._take(), end]) for end in ends]
        self._pieces.append(rest)
        return lines

    def _take(self) -> list[bytes]:
        pieces, self._pieces = self._pieces, []
        return pieces


class _Incoming(Struct):
    """Any message of the sidecar's."""

    id: int | None = None
    method: str | None = None
    params: Raw | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    error: ErrorObject | UnsetType = UNSET


class _Pending:
    """A call that waits for its reply; `reply` stays None when the sidecar goes first."""

    def __init__(self) -> None:
        self.settled = anyio.Event()
        self.reply: _Incoming | None = None

    def settle(self, reply: _Incoming | None) -> None:
        self.reply = reply
        self.settled.set()


class Client:
    """One sidecar. `start` it inside a task group, and `close` it, whatever happens in between."""

    def __init__(self, process: Process, tasks: TaskGroup, log: Log) -> None:
        self._process = process
        self._ids = count(1)
        self._pending: dict[int, _Pending] = {}
        self._listeners: dict[str, Listener] = {}
        self._watched: dict[str, tuple[int, Watcher]] = {}
        self._sending = anyio.Lock()
        self._gone = False
        tasks.start_soon(self._read)
        tasks.start_soon(_each_line, process.stderr, log)

    @classmethod
    async def start(cls, tasks: TaskGroup, flags: list[str], log: Log) -> "Client":
        """Start a sidecar; `log` is given the lines of its stderr."""
        process = await anyio.open_process(
            [*_executable(), *flags],
            start_new_session=sys.platform != "win32",  # Ctrl-C is the host's to handle
            creationflags=NEW_PROCESS_GROUP if sys.platform == "win32" else 0,
        )
        return cls(process, tasks, log)

    async def initialize(self, app: ClientInfo) -> InitializeResult:
        """Open the session."""
        params = InitializeParams(PROTOCOL_VERSION, app, process_id=os.getpid())
        return await self.call("initialize", params, InitializeResult)

    async def call(self, method: str, params: object, result: type[T]) -> T:
        """Return the decoded result, or raise `CallFailed`."""
        return await self._call(next(self._ids), method, params, result)

    async def task(self, method: str, params: dict[str, Any], result: type[T], watcher: Watcher) -> T:
        """Call a method under the `task_id` in `params`, and give `watcher` what is told of its progress."""
        id_, task_id = next(self._ids), params["task_id"]
        self._watched[task_id] = (id_, watcher)
        try:
            return await self._call(id_, method, params, result)
        finally:
            del self._watched[task_id]

    async def cancel_task(self, task_id: str) -> None:
        """Ask for the end of a task; its call then fails with `request_cancelled`."""
        if task_id in self._watched:
            params = CancelRequestParams(self._watched[task_id][0])
            await self._send({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": params})

    async def _call(self, id_: int, method: str, params: object, result: type[T]) -> T:
        pending = _Pending()
        self._pending[id_] = pending
        try:
            await self._send({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})
            await pending.settled.wait()
        finally:
            del self._pending[id_]
        return _outcome(pending.reply, result)

    async def stream(self, request: StreamRequest, listener: Listener) -> ChatResult:
        """Ask, give `listener` every notification of the stream, and return the whole, or raise `CallFailed`."""
        stream_id = request.stream_id or f"stream-{next(self._ids)}"
        self._listeners[stream_id] = listener
        try:
            return await self.call("chat.stream", msgspec.structs.replace(request, stream_id=stream_id), ChatResult)
        finally:
            del self._listeners[stream_id]

    async def cancel(self, stream_id: str) -> bool:
        """End a stream; return whether it was this that ended it."""
        return (await self.call("chat.cancel", CancelParams(stream_id), CancelResult)).cancelled

    async def close(self) -> int:
        """Shut the sidecar down, killing it if that takes too long, and return its exit code."""
        with anyio.move_on_after(SHUTDOWN_S, shield=True), contextlib.suppress(CallFailed):
            await self.call("shutdown", Empty(), Empty)
        with anyio.move_on_after(SHUTDOWN_S, shield=True) as patience:
            await self._hang_up()
            await self._process.wait()
        if patience.cancelled_caught:
            self._process.kill()
        return await self._process.wait()

    async def _hang_up(self) -> None:
        """End the sidecar's input, which ends it, whether or not `shutdown` did."""
        if self._process.stdin:
            await self._process.stdin.aclose()

    async def _send(self, message: dict[str, Any]) -> None:
        line = msgspec.json.encode(message) + NEWLINE
        async with self._sending:
            if self._gone or not self._process.stdin:
                raise _closed()
            try:
                await self._process.stdin.send(line)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                raise _closed() from None

    async def _read(self) -> None:
        try:
            await _each_line(self._process.stdout, self._receive)
        finally:
            self._gone = True
        for pending in self._pending.values():
            pending.settle(None)

    def _receive(self, line: bytes) -> None:
        message = msgspec.json.decode(line, type=_Incoming)
        if message.method is None and message.id in self._pending:
            self._pending[message.id].settle(message)
        elif message.method in NOTIFICATIONS and message.params is not UNSET:
            event = msgspec.json.decode(message.params, type=NOTIFICATIONS[message.method])
            if listener := self._listeners.get(event.stream_id):
                listener(event)
        elif message.method == PROGRESS and message.params is not UNSET:
            progress = msgspec.json.decode(message.params, type=TaskProgress)
            if watched := self._watched.get(progress.task_id):
                watched[1](progress)


def _executable() -> list[str]:
    frozen = getattr(sys, "frozen", False)
    return [sys.executable] if frozen else [sys.executable, "-m", "sidecar"]


async def _each_line(stream: ByteReceiveStream | None, handle: Callable[[bytes], None]) -> None:
    if stream is None:
        return
    lines = Lines()
    async for data in stream:
        for line in lines.feed(data):
            handle(line)


def _outcome(reply: _Incoming | None, result: type[T]) -> T:
    if reply is None:
        raise _closed()
    if reply.error is not UNSET:
        raise CallFailed(reply.error)
    return msgspec.json.decode(b"{}" if reply.result is UNSET else reply.result, type=result)


def _closed() -> CallFailed:
    return CallFailed(SidecarError("connection_closed", "The sidecar has ended.").to_object())

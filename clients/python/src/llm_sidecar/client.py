"""The client: a sidecar that is there whenever it is called."""

from collections.abc import Mapping
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio
from anyio.abc import TaskGroup
from msgspec import Raw, Struct
from msgspec.structs import replace

from llm_sidecar import errors
from llm_sidecar.encoding import encode
from llm_sidecar.errors import SidecarError
from llm_sidecar.methods import Methods
from llm_sidecar.options import Options
from llm_sidecar.protocol import InitializeResult, StreamRequest
from llm_sidecar.streams import Stream
from llm_sidecar.supervisor import Supervisor

T = TypeVar("T")


def start_sidecar(options: Options | None = None) -> "Sidecar":
    """Return a sidecar that starts when `async with` enters it, and runs until the block is left.

    Entering raises `SidecarError`: `sidecar_not_found`, `connection_closed` or `unsupported_protocol_version`.
    """
    return Sidecar(options or Options())


class Sidecar(Methods):
    """A sidecar. Its methods are in their namespaces, such as `sidecar.models.list()`; all raise `SidecarError`.

    Cancelling whoever waits for a call cancels the call, too.
    """

    def __init__(self, options: Options) -> None:
        super().__init__(self)
        self._options = options
        self._stream_numbers = count(1)
        self._unsent: set[Stream] = set()

    @property
    def pid(self) -> int | None:
        """The process id of the sidecar."""
        return self._supervisor.pid

    @property
    def handshake(self) -> InitializeResult:
        """What the sidecar said of itself when it was first started."""
        return self._handshake

    async def request(self, method: str, params: Mapping[str, Any] | Struct | None = None) -> dict[str, Any]:
        """Call a method by its name, such as one that this client does not know; return the JSON of its result."""
        return await self.call(method, params or {}, dict[str, Any])

    async def call(self, method: str, params: object, result: type[T]) -> T:
        """Call a method by its name; return its result as the type given."""
        written = Raw(encode(params))
        session = await self._supervisor.connected()
        answer = await session.call(method, written, result)
        self._supervisor.note(method, written)
        return answer

    def stream(self, request: StreamRequest) -> Stream:
        """Begin a stream; what goes wrong is told by its result."""
        stream_id = request.stream_id or f"s{next(self._stream_numbers)}"
        stream = Stream(stream_id, self._options.max_unread_events, self._cancel)
        params = replace(request, stream_id=stream_id)
        if session := self._supervisor.session:
            session.begin_stream(stream, params)
        elif self._supervisor.is_stopping:
            stream.fail(errors.CLOSED.error())
        else:
            self._unsent.add(stream)
            self._tasks.start_soon(self._begin_later, stream, params)
        return stream

    async def close(self) -> None:
        """End the sidecar, which answers first what is open. It may be called at any time, and again."""
        await self._supervisor.stop()

    async def __aenter__(self) -> Self:
        self._tasks: TaskGroup = await anyio.create_task_group().__aenter__()
        self._supervisor = Supervisor(self._options, self._tasks)
        try:
            self._handshake = await self._supervisor.start()
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        with anyio.CancelScope(shield=True):
            await self.close()
        if isinstance(error, anyio.get_cancelled_exc_class()):
            return await self._tasks.__aexit__(kind, error, trace)
        # The group would wrap the host's own exception in a group of exceptions.
        await self._tasks.__aexit__(None, None, None)
        return None

    async def _begin_later(self, stream: Stream, params: StreamRequest) -> None:
        try:
            session = await self._supervisor.connected()
        except SidecarError as error:
            stream.fail(error)
        else:
            if not stream.ended:
                session.begin_stream(stream, params)
        finally:
            self._unsent.discard(stream)

    def _cancel(self, stream: Stream) -> None:
        if stream in self._unsent:
            stream.fail(errors.CANCELLED.error())
        elif session := self._supervisor.session:
            session.cancel_stream(stream)
            self._tasks.start_soon(self._await_end, stream)

    async def _await_end(self, stream: Stream) -> None:
        with anyio.move_on_after(self._options.cancel_grace):
            await stream.wait()
        stream.fail(errors.CANCELLED.error("The sidecar did not reply in time."))

"""Keeps a sidecar running: starts it, shakes hands, starts it anew when it has gone, and ends it."""

import os
from typing import Final

import anyio
from anyio.abc import TaskGroup
from msgspec import Raw

from llm_sidecar import errors
from llm_sidecar.configurations import Configurations
from llm_sidecar.errors import SidecarError
from llm_sidecar.options import Options
from llm_sidecar.processes import Child
from llm_sidecar.protocol import PROTOCOL_VERSION, InitializeParams, InitializeResult
from llm_sidecar.restarts import Restarts
from llm_sidecar.sessions import Session


class _Attempt:
    """A start for which calls wait."""

    def __init__(self) -> None:
        self.scope: Final = anyio.CancelScope(shield=True)
        self.done: Final = anyio.Event()
        self.error: SidecarError | None = None


class _Repeated:
    """A configuration that was made again; that it failed is for the log."""

    def __init__(self, method: str, options: Options) -> None:
        self._method = method
        self._options = options

    def finish(self, result: Raw) -> None:
        """Take that it worked."""

    def fail(self, error: SidecarError) -> None:
        self._options.on_log(f"{self._method} could not be repeated: {error.message}")


class Supervisor:
    """Has one process at a time, in tasks of the group."""

    def __init__(self, options: Options, tasks: TaskGroup) -> None:
        self._options = options
        self._tasks = tasks
        self._configurations = Configurations()
        self._restarts = Restarts()
        self._children: set[Child] = set()
        self._child: Child | None = None
        self._attempt: _Attempt | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process id, while there is a process."""
        return self._child.pid if self._child and not self._child.gone.is_set() else None

    @property
    def is_stopping(self) -> bool:
        """Whether there will be no session any more."""
        return self._stopping

    @property
    def session(self) -> Session | None:
        """The session, while it takes calls."""
        return self._child.session if self._child and self._child.session.is_open else None

    async def start(self) -> InitializeResult:
        """Start a process and shake hands; raise `SidecarError`, and leave no process, if that fails."""
        child = await Child.spawn(self._options)
        self._children.add(child)
        self._tasks.start_soon(self._run, child)
        try:
            answer = await self._shake_hands(child.session)
        except BaseException:
            child.kill()
            raise
        child.ready = anyio.current_time()
        self._child = child
        return answer

    async def connected(self) -> Session:
        """Return the session, if need be one with a new process; raise `connection_closed` if there is none."""
        if session := self.session:
            return session
        attempt = self._attempt or self._begin_attempt()
        await attempt.done.wait()
        if attempt.error:
            raise attempt.error
        return self.session or _closed()

    def note(self, method: str, params: Raw) -> None:
        """Note a call that succeeded, for it may have to be made again."""
        self._configurations.note(method, bytes(params))

    async def stop(self) -> None:
        """End everything, and wait until it has ended."""
        self._stopping = True
        if self._attempt:
            self._attempt.scope.cancel()
        for child in self._children:
            child.stop()
        for child in tuple(self._children):
            await child.gone.wait()

    def _begin_attempt(self) -> _Attempt:
        if self._stopping or not self._options.restart:
            raise errors.CLOSED.error()
        self._attempt = _Attempt()
        self._tasks.start_soon(self._try, self._attempt)
        return self._attempt

    async def _try(self, attempt: _Attempt) -> None:
        attempt.error = errors.CLOSED.error()
        with attempt.scope:
            try:
                await self._restart()
                attempt.error = None
            except SidecarError as error:
                attempt.error = error
        self._attempt = None
        attempt.done.set()

    async def _restart(self) -> None:
        wait = self._restarts.wait(anyio.current_time())
        if wait is None:
            raise errors.CLOSED.error("It failed too often to be started anew at once.")
        await anyio.sleep(wait)
        await self.start()
        if session := self.session:
            for method, params in self._configurations.calls():
                session.ask(method, params, _Repeated(method, self._options))

    async def _shake_hands(self, session: Session) -> InitializeResult:
        params = InitializeParams(
            protocol_version=PROTOCOL_VERSION, client_info=self._options.client_info, process_id=os.getpid()
        )
        with anyio.move_on_after(self._options.start_timeout):
            answer = await session.call("initialize", params, InitializeResult)
            if answer.protocol_version != PROTOCOL_VERSION:
                raise errors.VERSION.error(f"The sidecar speaks version {answer.protocol_version}.")
            return answer
        raise errors.CLOSED.error(f"It did not answer within {self._options.start_timeout} s.")

    async def _run(self, child: Child) -> None:
        await child.run(on_end=lambda: self._restarts.note_end(child.ready, anyio.current_time()))
        self._children.discard(child)


def _closed() -> Session:
    raise errors.CLOSED.error()

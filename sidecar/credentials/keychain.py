"""Calls to the keychain, one at a time, in a thread that may be left behind: keychains can block for ever.

asyncio's worker threads would not do: the interpreter waits for them when it exits.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from sidecar.concurrency import move_on_after
from sidecar.credentials.vault import NO_KEYCHAIN_HINT, Loader, Vault
from sidecar.schema.credentials import KeychainState, State
from sidecar.schema.errors import ErrorType, SidecarError

T = TypeVar("T")

KEYCHAIN_ERRORS: Final[tuple[ErrorType, ...]] = ("keyring_unavailable", "keyring_locked", "keyring_denied")

STATES: Final[dict[str, State]] = {
    "keyring_unavailable": "unavailable",
    "keyring_locked": "locked",
    "keyring_denied": "denied",
}

HINTS: Final = {
    "keyring_unavailable": NO_KEYCHAIN_HINT,
    "keyring_locked": "Unlock the system's keychain, and try again.",
    "keyring_denied": "Allow this app to use the system's keychain, and try again.",
}

PAUSE_S: Final = {"keyring_unavailable": 10.0, "keyring_locked": 1.0, "keyring_denied": 1.0}
"""For how long a failure is told again without another try; one that is no answer, for as long as none comes."""


class Keychain:
    """The keychain, loaded on first use. `deadline_s` bounds each call."""

    def __init__(self, load: Loader, deadline_s: float) -> None:
        self.state = KeychainState("unknown")
        self._load = load
        self._deadline_s = deadline_s
        self._turn = asyncio.Lock()
        self._vault: Vault | None = None
        self._thread: _Thread | None = None
        self._stuck: _Thread | None = None
        self._failure: SidecarError | None = None
        self._failed_until = 0.0

    def may_ask(self) -> bool:
        """Tell whether reading a key may open a dialog although the state is `ok`: where nobody can tell beforehand."""
        return self._vault is not None and self._vault.kind.asleep is None

    async def look(self, service: str) -> None:
        """Bring the state up to date, but never by opening a dialog again that somebody refused."""
        if self.may_ask() and self.state.state in ("ok", "locked", "denied"):
            return
        with suppress(SidecarError):
            if await self.run(lambda vault: vault.asleep(service)):
                # Nothing has failed: a call may yet open the dialog that unlocks it.
                self.state = self._failed("keyring_locked", HINTS["keyring_locked"])

    async def run(self, call: Callable[[Vault], T]) -> T:
        """Return what `call` returns in the thread, after the calls before it.

        Raise one of `KEYCHAIN_ERRORS` when the keychain fails or does not answer in time. What was asked for may then
        still happen later: someone may yet answer the keychain's dialog. Until then no further call is made: it would
        open another one.
        """
        async with self._turn:
            self._repeat_failure()
            job = _Job(lambda: call(self._open()), self._locked_means)
            self._running_thread().put(job)
            async with move_on_after(self._deadline_s):
                await job.done.wait()
            if not job.done.is_set():
                self._leave_thread()
            return self._settle(job)

    def _open(self) -> Vault:
        if self._vault is None:
            self._vault = self._load()
        return self._vault

    def _locked_means(self) -> ErrorType:
        return self._vault.kind.locked if self._vault else "keyring_unavailable"

    def _repeat_failure(self) -> None:
        """Raise the last failure again while it is fresh, or while a call is stuck."""
        if self._stuck is not None and not self._stuck.is_alive():
            self._stuck = self._failure = None
        if self._failure is not None and (self._stuck is not None or time.monotonic() < self._failed_until):
            raise _copy(self._failure)

    def _running_thread(self) -> "_Thread":
        if self._thread is None:
            self._thread = _Thread()
        return self._thread

    def _leave_thread(self) -> None:
        assert self._thread is not None
        self._thread.end_after_call()
        self._stuck, self._thread = self._thread, None

    def _settle(self, job: "_Job[T]") -> T:
        error = job.error if job.done.is_set() else self._no_answer()
        if error is None or error.type not in STATES:
            self._failure = None
            self.state = KeychainState("ok", self._name())
        else:
            self._note(error)
        if error is not None:
            raise error
        return job.result

    def _note(self, error: SidecarError) -> None:
        error.details.setdefault("hint", HINTS[error.type])
        self._failure = _copy(error)
        self._failed_until = time.monotonic() + PAUSE_S[error.type]
        self.state = self._failed(error.type, error.details["hint"])

    def _failed(self, type_: ErrorType, hint: str) -> KeychainState:
        return KeychainState(STATES[type_], self._name(), hint)

    def _name(self) -> str | None:
        return self._vault.kind.name if self._vault else None

    def _no_answer(self) -> SidecarError:
        if self._vault is None:
            return SidecarError("keyring_unavailable", "The system's keychain does not answer.")
        return SidecarError(
            "keyring_locked",
            "The system's keychain does not answer.",
            hint="It may be waiting for its password in a dialog; answer it, and try again.",
        )


def _copy(error: SidecarError) -> SidecarError:
    return SidecarError(error.type, error.message, **error.details)


class _Job(Generic[T]):
    """A call on its way through the thread. As a context it takes what is raised inside as its outcome."""

    result: T
    error: SidecarError | None = None

    def __init__(self, call: Callable[[], T], locked_means: Callable[[], ErrorType]) -> None:
        self.done = asyncio.Event()
        self._call = call
        self._locked_means = locked_means
        self._loop = asyncio.get_running_loop()

    def run(self) -> None:
        with self:
            self.result = self._call()
        if self.error is not None:
            # The frames of a failed call hold its connection to the keychain in reference cycles.
            gc.collect()
        with suppress(RuntimeError):  # the loop is closed when the call outlived it
            self._loop.call_soon_threadsafe(self.done.set)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if error is not None:
            self.error = error if isinstance(error, SidecarError) else _translated(error, self._locked_means())
        return True


def _translated(error: BaseException, locked_means: ErrorType) -> SidecarError:
    if isinstance(error, ImportError):
        return SidecarError("keyring_unavailable", "This installation cannot use the system's keychain.")
    from keyring.errors import InitError, KeyringError, KeyringLocked, NoKeyringError

    if isinstance(error, NoKeyringError):
        return SidecarError("keyring_unavailable", "This system has no working keychain.")
    if isinstance(error, (KeyringLocked, InitError)):
        return SidecarError(locked_means)
    if isinstance(error, KeyringError):
        return SidecarError("keyring_denied")
    return SidecarError("keyring_unavailable", "The system's keychain failed.")


class _Thread:
    """Runs jobs one after the other, and never keeps the process alive."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="keychain", daemon=True)
        self._thread.start()

    def put(self, job: _Job[Any]) -> None:
        self._jobs.put(job)

    def end_after_call(self) -> None:
        self._jobs.put(None)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()

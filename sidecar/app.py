"""The composition root: the only file that knows every part."""

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sidecar import crash_dumps, lifeline, logs, settings
from sidecar.catalog.listings import Listings
from sidecar.catalog.observations import Observations
from sidecar.concurrency import TaskGroup, move_on_after
from sidecar.credentials import Credentials
from sidecar.descriptors import Descriptors
from sidecar.engines.shelf import Maker, Shelf
from sidecar.handler import Engine, Target
from sidecar.memory import LARGE_BYTES, LargeBlocks
from sidecar.methods.services import Services
from sidecar.methods.table import METHODS
from sidecar.providers import PROVIDERS
from sidecar.providers.origins import proxy_password
from sidecar.redaction import redacted
from sidecar.rpc.connection import HostConnection
from sidecar.rpc.lines import Oversized
from sidecar.rpc.router import Router
from sidecar.rpc.stdio import Inbox, Outbox
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import ModelInfo
from sidecar.settings import ConfigError, Settings
from sidecar.streams import Streams
from sidecar.targets import Targets
from sidecar.tasks import Tasks

if TYPE_CHECKING:
    from sidecar.engines.network import HttpTransport
    from sidecar.library.library import Library
    from sidecar.policies import Policies

CLEAN: Final = 0
CRASHED: Final = 1
USAGE_ERROR: Final = 2
HOST_STOPPED_READING: Final = 3
SIGNALLED: Final = 128

STORE_S: Final = 1.0
"""How long the ledger's last entries may take at exit."""
CLOSE_S: Final = 1.0
"""How long closing connections may take at exit."""

log: Final = logging.getLogger("sidecar")


def main(arguments: list[str], descriptors: Descriptors) -> NoReturn:
    """Serve until the session ends, and exit with the code that tells how."""
    started = time.monotonic_ns()
    crash_dumps.forbid()
    try:
        chosen = settings.load(arguments)
        sidecar = _Sidecar(chosen, descriptors, started)
    except (ConfigError, SidecarError) as error:
        os.write(descriptors.stderr, f"llm-sidecar: {error}\n".encode())
        os._exit(USAGE_ERROR)
    queue = logs.LogQueue(descriptors.stderr)
    logs.configure(queue, chosen.log_level, chosen.log_format, sidecar.secrets)
    try:
        asyncio.run(_live(sidecar, queue))
    except BaseException:
        log.exception("the sidecar crashed")
    _leave(queue, CRASHED)


async def _live(sidecar: "_Sidecar", queue: logs.LogQueue) -> NoReturn:
    """Serve, and exit from inside the loop: its own end would wait for threads, such as one that looks up a name."""
    _leave(queue, await sidecar.serve())


def _leave(queue: logs.LogQueue, code: int) -> NoReturn:
    """Exit at once: a thread may be blocked for good in a read or a write."""
    queue.flush()
    os._exit(code)


class _Sidecar:
    """One process, one session."""

    def __init__(self, chosen: Settings, descriptors: Descriptors, started_ns: int) -> None:
        self._settings = chosen
        self._descriptors = descriptors
        self._started_ns = started_ns
        self._code = CLEAN
        self._large_blocks = LargeBlocks()
        self._credentials = Credentials(
            data_dir=chosen.data_dir, deadline_ms=chosen.limits.keychain_ms, key_env=chosen.key_env
        )
        if chosen.proxy is not None:
            self._credentials.see(proxy_password(chosen.proxy))
        self._listings = Listings()
        self._policies: Policies | None = None
        self._library: Library | None = None
        self._targets = Targets(PROVIDERS, self._credentials, scripted=chosen.scripted, locate=self._locate)
        for config in chosen.providers:
            self._targets.configure(config)
        if chosen.active is not None:
            self._targets.activate(chosen.active)

    def _redact(self, text: str) -> str:
        return redacted(text, self._credentials.known())

    def secrets(self) -> list[str]:
        """Return every key in memory, for redaction."""
        return list(self._credentials.known())

    async def serve(self) -> int:
        """Run the session and return the exit code."""
        self._ended = asyncio.Event()
        async with TaskGroup() as tasks:
            self._tasks = tasks
            self._outbox = Outbox(self._descriptors.stdout, self._settings.limits, self._stopped_reading)
            self._open(tasks)
            await self._ended.wait()
            tasks.cancel()
        if self._policies is not None:
            await self._policies.database.close(STORE_S)  # behind the tasks, as each records how it ends
        return self._code

    def _open(self, tasks: TaskGroup) -> None:
        limits = self._settings.limits
        router = Router(METHODS, self._services(Shelf(self._makers(), tasks)))
        self._connection = HostConnection(router, self._outbox, tasks, self._redact)
        self._handle_signals()
        if self._settings.parent_pid is not None:
            self._watch_host(self._settings.parent_pid)
        gc.freeze()
        Inbox(self._descriptors.stdin, limits, self._receive).start(self._input_ended)

    def _receive(self, line: bytes | Oversized) -> None:
        if isinstance(line, bytes) and len(line) >= LARGE_BYTES:
            self._large_blocks.used()
        self._connection.receive(line)

    def _services(self, engines: Shelf) -> Services:
        return Services(
            limits=self._settings.limits,
            targets=self._targets,
            credentials=self._credentials,
            streams=Streams(self._outbox, self._settings.limits),
            tasks=Tasks(self._outbox),
            observations=Observations(),
            listings=self._listings,
            policies=partial(self._loaded, engines),
            prepare=lambda: self._tasks.start_soon(self._load, engines),
            engines=engines,
            library=self._opened,
            redact=self._redact,
            allowed_paths=self._settings.allowed_paths,
            app_id=self._settings.app_id,
            started_ns=self._started_ns,
            watch_host=self._watch_host,
            end=partial(self._soon, self._leave, CLEAN),
        )

    async def _load(self, engines: Shelf) -> None:
        """Load the policies while the host reads its first reply, and learn the budgets."""
        await asyncio.to_thread(import_module, "sidecar.policies")
        self._loaded(engines).budgets.look()

    def _loaded(self, engines: Shelf) -> "Policies":
        """Return the policies; what they import takes too long for a start."""
        if self._policies is None:
            from sidecar.policies import Premises, policies

            premises = Premises(
                app=self._credentials.service,
                data_dir=self._settings.data_dir,
                memory_only=self._settings.storage == "memory",
                limits=self._settings.limits,
                prices=self._settings.prices,
                listings=self._listings,
                tasks=self._tasks,
            )
            self._policies = policies(engines.chat, premises)
        return self._policies

    async def _opened(self) -> "Library":
        """Return the library of models; what it imports is not needed by everybody."""
        if self._library is None:
            await asyncio.to_thread(import_module, "sidecar.library.opening")
        return self._library or self._make_library()

    def _make_library(self) -> "Library":
        from sidecar.library.opening import Shelter, opened

        shelter = Shelter(
            models_dir=self._settings.models_dir,
            data_dir=self._settings.data_dir,
            credentials=self._credentials,
            tasks=self._tasks,
            transport=self._make_transport,
        )
        self._library = opened(shelter)
        return self._library

    async def _locate(self, target: Target) -> Target:
        return await (await self._opened()).locate(target)

    async def _files(self, target: Target) -> list[tuple[str, ModelInfo]]:
        return await (await self._opened()).files(target)

    def _makers(self) -> dict[str, Maker]:
        return {"http": self._make_http, "llama": self._make_llama, "scripted": _make_scripted}

    def _make_http(self) -> AbstractAsyncContextManager[Engine]:
        from sidecar.dialects.contract import Dialect
        from sidecar.dialects.named import dialect
        from sidecar.engines.addressing import PlainHttp
        from sidecar.engines.http import HttpEngine

        plain_http: PlainHttp = "allow" if self._settings.allow_plain_http else "refuse"
        dialects: dict[str, Dialect] = {name: dialect(name) for name in self._targets.dialects()}
        return _closing(HttpEngine(self._make_transport(), dialects, plain_http, load=dialect))

    def _make_transport(self) -> "HttpTransport":
        from sidecar.engines.network import HttpTransport

        return HttpTransport(self._settings.proxy, self._settings.ca_file)

    def _make_llama(self) -> AbstractAsyncContextManager[Engine]:
        from sidecar.engines.llama.engine import llama_engine

        limits = self._settings.limits
        return llama_engine(load_ms=limits.load_ms, memory_bytes=limits.local_memory_bytes, files=self._files)

    def _watch_host(self, pid: int) -> None:
        lifeline.watch(pid, lambda: self._end(CLEAN))

    def _stopped_reading(self) -> None:
        self._end(HOST_STOPPED_READING)

    def _input_ended(self) -> None:
        if self._outbox.host_is_gone:
            self._end(CLEAN)
        else:
            self._soon(self._finish, CLEAN)

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            if sys.platform == "win32":
                signal.signal(number, lambda n, _: loop.call_soon_threadsafe(self._signalled, n))
            else:
                loop.add_signal_handler(number, self._signalled, number)

    def _signalled(self, number: int) -> None:
        self._soon(self._finish, SIGNALLED + number)

    def _soon(self, step: Callable[[int], Coroutine[Any, Any, None]], code: int) -> None:
        if not self._ended.is_set():  # else the tasks are no more
            self._tasks.start_soon(step, code)

    async def _finish(self, code: int) -> None:
        """Answer what is pending, then leave."""
        drain = self._settings.drain and code == CLEAN
        await self._connection.finish(None if drain else self._settings.limits.exit_grace_ms / 1000)
        await self._leave(code)

    async def _leave(self, code: int) -> None:
        """Deliver what is queued, then end."""
        await self._outbox.drained(self._settings.limits.exit_grace_ms / 1000)
        self._end(code)

    def _end(self, code: int) -> None:
        if not self._ended.is_set():
            self._code = code
            self._ended.set()


def _make_scripted() -> AbstractAsyncContextManager[Engine]:
    from sidecar.engines.scripted import ScriptedEngine

    return _closing(ScriptedEngine())


@asynccontextmanager
async def _closing(engine: Engine) -> AsyncGenerator[Engine, None]:
    """Close the engine when it is left, within a bound."""
    try:
        yield engine
    finally:
        async with move_on_after(CLOSE_S):
            await engine.close()

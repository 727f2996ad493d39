"""Calls of methods, from JSON to JSON, without a process."""

import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
from inline_database import InlineDatabase
from keychains import FakeBackend
from msgspec import Raw, Struct

from sidecar.catalog.listings import Listings
from sidecar.catalog.observations import Observations
from sidecar.credentials import Credentials
from sidecar.handler import Call, Completion, Emit, Engine, Target
from sidecar.methods.services import Services
from sidecar.methods.table import METHODS
from sidecar.middleware.pricing import Prices
from sidecar.middleware.treasury import Budgets
from sidecar.policies import Policies
from sidecar.providers import PROVIDERS
from sidecar.rpc.router import Request, Router
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import ModelInfo
from sidecar.schema.providers import TestStage as Stage
from sidecar.schema.session import Limits
from sidecar.storage.answers import Answers
from sidecar.storage.ledger import Ledger
from sidecar.targets import Targets
from sidecar.tasks import Tasks

ALWAYS = frozenset({"invalid_params"})
"""What every method can answer with, of what these tests meet."""


class FakeEngine:
    """An engine that has one model, and remembers whom it was asked about. It raises `failure` while there is one."""

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self.failure: SidecarError | None = None
        self.stages = [Stage("http", ok=True, ms=7)]

    async def chat(self, call: Call, emit: Emit) -> Completion:
        raise AssertionError((call, emit))

    async def models(self, target: Target) -> list[ModelInfo]:
        self._ask(target)
        return [ModelInfo(id="model-1", provider=target.id)]

    async def check(self, target: Target) -> list[Stage]:
        self._ask(target)
        return self.stages

    async def close(self) -> None:
        """Hold nothing."""

    def _ask(self, target: Target) -> None:
        self.targets.append(target)
        if self.failure is not None:
            raise self.failure


class FakeOutlet:
    """Keeps what is sent, at once."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Struct]] = []

    def send(self, method: str, params: Struct) -> None:
        self.sent.append((method, params))

    def defer(self, flush: Callable[[], None]) -> None:
        flush()


class FakeShelf:
    """Has one engine under every name."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    def prefetch(self, name: str) -> None:
        assert name in {record.engine for record in PROVIDERS.values()}

    async def get(self, name: str) -> Engine:
        self.prefetch(name)
        return self._engine


class Caller:
    """A sidecar without a wire: `call` answers what the host would read."""

    def __init__(self, data_dir: Path, backend: FakeBackend) -> None:
        self.backend = backend
        self.engine = FakeEngine()
        self.outlet = FakeOutlet()
        self.credentials = Credentials(data_dir, load=backend.loader())
        self.database = InlineDatabase()
        self.ledger = Ledger(self.database)
        self.listings = Listings()
        self.prices = Prices(listings=self.listings)
        unused = cast("Any", None)
        self.policies = Policies(
            database=self.database,
            ledger=self.ledger,
            answers=Answers(self.database, Limits()),
            prices=self.prices,
            budgets=Budgets(self.database, self.ledger, Limits().storage_ms),
            chat=unused,
        )
        services = Services(
            limits=Limits(),
            targets=Targets(PROVIDERS, self.credentials),
            credentials=self.credentials,
            streams=unused,
            tasks=Tasks(self.outlet),
            observations=Observations(),
            listings=self.listings,
            policies=lambda: self.policies,
            prepare=unused,
            engines=cast("Any", FakeShelf(self.engine)),
            library=unused,
            redact=str,
            allowed_paths=(),
            app_id=None,
            started_ns=time.monotonic_ns(),
            watch_host=unused,
            end=unused,
        )
        self._router = Router(METHODS, services)

    def begin(self, method: str, **params: Any) -> Any:
        """Do what the method does at once; return its result or an awaitable of it."""
        request = Request(1, 0, cast("Any", None))
        return self._router.call(self._router.find(method), Raw(msgspec.json.encode(params)), request)

    async def call(self, method: str, **params: Any) -> Any:
        """Return the result, or raise the error after a look whether the method declares it."""
        try:
            outcome = self.begin(method, **params)
            result = await outcome if inspect.isawaitable(outcome) else outcome
        except SidecarError as error:
            if error.type in ALWAYS.union(self._router.find(method).errors):
                raise
            raise AssertionError(f"{method} does not declare {error.type}") from error
        assert isinstance(result, self._router.find(method).result)
        return msgspec.json.decode(msgspec.json.encode(result))

    async def error(self, method: str, **params: Any) -> Any:
        """Return the error that the method answers with."""
        try:
            result = await self.call(method, **params)
        except SidecarError as error:
            return msgspec.json.decode(msgspec.json.encode(error.to_object()))
        raise AssertionError(result)

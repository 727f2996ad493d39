"""Records every attempt: where it went, how it ended, what it took."""

import asyncio
import time
from datetime import UTC, datetime
from decimal import Decimal
from types import TracebackType
from typing import Final, Literal, Self

from msgspec.structs import replace

from sidecar.handler import Call, ChatHandler, Completion, Emit, Middleware, Target
from sidecar.middleware.pricing import Prices
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Attempt, Cost, Outcome, Usage
from sidecar.storage.ledger import Entry, Ledger

Metered = Literal["chat", "embeddings"]

NS_PER_MS: Final = 1_000_000


def meter(ledger: Ledger, prices: Prices) -> Middleware:
    """Append an `Attempt` to the call, and enter it into the ledger, however it ends."""

    def metering(handler: ChatHandler) -> ChatHandler:
        async def metered(call: Call, emit: Emit) -> Completion:
            call.sent, call.cost, call.phases = False, None, None
            ending = Ending()
            try:
                with ending:
                    return await handler(call, emit)
            finally:
                usage = _usage(call, ending)
                call.cost = None if usage is None else call.cost or prices.cost(call.target, usage)
                saved = Decimal() if usage is None else prices.savings(call.target, usage)
                record(ledger, call, ending.attempt(call.target, usage, call.cost), prompt_savings=saved)

        return metered

    return metering


class Ending:
    """A block that is timed, and how it ended."""

    def __init__(self) -> None:
        self.outcome: Outcome = "ok"
        self.error: SidecarError | None = None
        self._started = time.monotonic_ns()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, asyncio.CancelledError):
            self.outcome = "cancelled"
        elif error is not None:
            self.outcome = "error"
            self.error = error if isinstance(error, SidecarError) else SidecarError("internal_error")

    @property
    def refused(self) -> bool:
        """Whether the provider said no to the question, by a status."""
        return self.error is not None and self.error.details.get("http_status") is not None

    def attempt(self, target: Target, usage: Usage | None, cost: Cost | None) -> Attempt:
        """Return the attempt that has just ended."""
        return Attempt(
            provider=target.id,
            model=target.model,
            outcome=self.outcome,
            error_type=None if self.error is None else self.error.type,
            duration_ms=(time.monotonic_ns() - self._started) // NS_PER_MS,
            usage=usage,
            cost=cost,
        )


def record(
    ledger: Ledger,
    call: Call,
    attempt: Attempt,
    response_savings: Decimal = Decimal(),
    prompt_savings: Decimal = Decimal(),
) -> None:
    """Add an attempt to the call's, and to the ledger."""
    call.attempts.append(attempt)
    entry = entry_of("chat", call.target.provider.id, tuple(call.request.tags), attempt)
    ledger.enter(replace(entry, response_savings=response_savings, prompt_savings=prompt_savings))


def entry_of(method: Metered, kind: str, tags: tuple[str, ...], attempt: Attempt) -> Entry:
    """Return what the ledger notes of an attempt that ends now."""
    return Entry(
        at=datetime.now(UTC),
        method=method,
        provider=attempt.provider,
        kind=kind,
        model=attempt.model,
        tags=tags,
        outcome=attempt.outcome,
        error_type=attempt.error_type,
        cached=attempt.cached,
        duration_ms=attempt.duration_ms,
        usage=attempt.usage,
        cost=attempt.cost or Cost(amount=None),
    )


def _usage(call: Call, ending: Ending) -> Usage | None:
    """Return what was used, or an estimate where the provider had the question and did not refuse it."""
    transcript = call.transcript
    if ending.outcome == "ok" or transcript.started or (call.sent and not ending.refused):
        return transcript.settled_usage(call.request.messages)
    return None

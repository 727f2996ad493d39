"""Records every attempt: where it went, how it ended, what it took."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Final

from sidecar.handler import Call, ChatHandler, Completion, Emit, Target
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Attempt, Cost, Outcome, Usage

NS_PER_MS: Final = 1_000_000


def meter(handler: ChatHandler) -> ChatHandler:
    """Append an `Attempt` to the call, however it ends."""

    async def metered(call: Call, emit: Emit) -> Completion:
        started = time.monotonic_ns()
        outcome: Outcome = "error"
        error_type: str | None = "internal_error"
        try:
            completion = await handler(call, emit)
        except SidecarError as error:
            error_type = error.type
            raise
        except asyncio.CancelledError:
            outcome, error_type = "cancelled", None
            raise
        else:
            outcome, error_type = "ok", None
            return completion
        finally:
            call.cost = call.cost or _cost(call)
            call.attempts.append(_attempt(call, outcome, error_type, time.monotonic_ns() - started))

    return metered


def _cost(call: Call) -> Cost | None:
    """Return what an answer, or what there is of it, costs; None where nothing came, or nobody knows."""
    if not call.transcript.started:
        return None
    return priced(call.target, call.transcript.settled_usage(call.request.messages))


def priced(target: Target, usage: Usage) -> Cost | None:
    """Return what so many tokens cost: nothing, or what the packaged tables say, if they know it."""
    from sidecar.catalog.costs import table_cost  # a start does without it

    if target.provider.free:
        return Cost(amount="0", source="free")
    return table_cost(target.provider.id, target.model, usage, datetime.now(UTC))


def _attempt(call: Call, outcome: Outcome, error_type: str | None, duration_ns: int) -> Attempt:
    settled = outcome == "ok" or call.transcript.started
    return Attempt(
        provider=call.target.id,
        model=call.target.model,
        outcome=outcome,
        error_type=error_type,
        duration_ms=duration_ns // NS_PER_MS,
        usage=call.transcript.settled_usage(call.request.messages) if settled else None,
        cost=call.cost,
    )

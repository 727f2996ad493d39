"""Has requests wait for their turn, by the limits that are configured and by those that the provider tells of.

The configured ones are for all requests with one key, whatever the model; providers have limits for each model.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from functools import partial
from typing import Final

from sidecar.handler import Call, ChatHandler, Completion, Emit, Middleware, Target
from sidecar.middleware.lines import Line, Place
from sidecar.middleware.quotas import NOTHING, Need
from sidecar.schema.errors import SidecarError
from sidecar.schema.policies import RateLimits
from sidecar.schema.session import Limits
from sidecar.schema.usage import Attempt
from sidecar.transcript import Transcript

MAX_KEYS: Final = 256
"""For how many keys it is remembered what was sent; those in use are never forgotten."""

OUTPUT_TOKENS: Final = 1024
"""How long an answer is taken to become where the request does not say how long it may be."""

SURE: Final = 2
"""A question has at least one of so many estimated tokens."""

UNLIMITED: Final = RateLimits()


def rate_limit(limits: Limits) -> Middleware:
    """Send a request when its turn has come, and learn from what it is answered with."""

    def limiting(handler: ChatHandler) -> ChatHandler:
        lines = _Lines(limits.max_queued)

        async def limited(call: Call, emit: Emit) -> Completion:
            line = lines.of(call.target)
            place = _place(call, line, limits.max_wait_ms / 1000)
            await line.enter(place)
            known, call.heard = len(call.attempts), partial(line.hear, place)
            try:
                return await handler(call, emit)
            except SidecarError as error:
                if error.type == "rate_limited":
                    line.refused(place, error.details.get("retry_after_ms"))
                raise
            finally:
                line.leave(place, _used(call, call.attempts[known:]))

        return limited

    return limiting


class _Lines:
    """The lines of all keys. Python's hash of a key, another in each process, stands for the key itself."""

    def __init__(self, max_queued: int) -> None:
        self._max_queued = max_queued
        self._lines: OrderedDict[tuple[str, str, int], Line] = OrderedDict()

    def of(self, target: Target) -> Line:
        """Return the line for a target."""
        name = (target.id, target.endpoint, hash(target.key))
        line = self._lines.get(name)
        if line is None:
            self._forget()
            line = self._lines[name] = Line(self._max_queued)
        else:
            self._lines.move_to_end(name)
        line.turns.adopt(target.config.rate_limits or UNLIMITED)
        return line

    def _forget(self) -> None:
        if len(self._lines) >= MAX_KEYS:
            idle = next((name for name, line in self._lines.items() if line.turns.idle), None)
            if idle is not None:
                del self._lines[idle]


def _place(call: Call, line: Line, longest_s: float) -> Place:
    target, loop = call.target, asyncio.get_running_loop()
    quotas = line.turns.quotas(target.model)
    counts = target.config.rate_limits is not None and target.config.rate_limits.tokens_per_minute is not None
    asked = _asked(call) if counts or quotas.count_tokens else 0
    last = call.attempts[-1] if call.attempts else None
    return Place(
        quotas=quotas,
        need=Need(1, asked // SURE),
        tokens=asked + (call.request.max_tokens or OUTPUT_TOKENS),
        returns=last is not None and (last.provider, last.model) == (target.id, target.model),
        deadline=loop.time() + longest_s,
        report=call.report,
        come=loop.create_future(),
    )


def _asked(call: Call) -> int:
    """Return about how many tokens the question has."""
    return Transcript().settled_usage(call.request.messages).input_tokens or 0


def _used(call: Call, attempts: Iterable[Attempt]) -> Need:
    """Return what a request has used, as the meter, which is inside, has recorded it."""
    usages = [attempt.usage for attempt in attempts if attempt.usage is not None]
    tokens = sum((usage.input_tokens or 0) + (usage.output_tokens or 0) for usage in usages)
    return Need(1, tokens) if call.sent or tokens else NOTHING

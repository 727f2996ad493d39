"""Sends a request again: without what its model does not take, or after a pause. Nobody else resends."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from msgspec.structs import replace

from sidecar.handler import Call, ChatHandler, Completion, Emit, tell
from sidecar.middleware import backoff
from sidecar.middleware.detour import accepts
from sidecar.schema.chat import Origin
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status
from sidecar.schema.policies import RetryOptions
from sidecar.transcript import Transcript

T = TypeVar("T")

MAX_REPAIRS: Final = 3
"""How often one question is repaired; providers complain of one parameter at a time."""

MAX_KNOWN: Final = 1000
"""Of how many models it is remembered what they lack."""

CONVERSATION: Final = "opaque"
"""What is wrong with one conversation, not with the model."""


def retry(handler: ChatHandler) -> ChatHandler:
    """Send a question again that nothing has been said to yet: repaired, or as it was after a pause.

    It is repaired where it was refused for something it can do without; what that was is remembered.
    """
    known = _Known()

    async def retried(call: Call, emit: Emit) -> Completion:
        if lacks := known.lacks(call.target.origin):
            call.target = replace(call.target, lacks=lacks)
        pauses, repairs = Pauses(call.request.retry), 0

        async def mend(error: SidecarError) -> bool:
            nonlocal repairs
            lack = _repairable(call)
            if lack is not None and repairs < MAX_REPAIRS:
                repairs += 1
                known.add(call.target.origin, lack)
                call.target = replace(call.target, lacks=call.target.lacks | {lack})
            elif call.transcript.started or (pause := pauses.next(error)) is None or _is_overtaken(call, error, pause):
                return False
            else:
                await _rest(call, emit, pause)
            call.transcript, call.cost = Transcript(), None
            return True

        return await again(lambda: handler(call, emit), mend)

    return retried


async def again(ask: Callable[[], Awaitable[T]], mend: Callable[[SidecarError], Awaitable[bool]]) -> T:
    """Ask until there is an answer, or a failure about which `mend` can do nothing."""
    while True:
        try:
            return await ask()
        except SidecarError as error:
            failure = error
        if not await mend(failure):
            raise failure


class Pauses:
    """The pauses of one request that is sent again as it was; so many as its options allow."""

    def __init__(self, options: RetryOptions | None) -> None:
        self._allowed = (options or RetryOptions()).max_retries
        self._taken = 0

    def next(self, error: SidecarError) -> float | None:
        """Return how many seconds to wait after a failure; None where the request is not to be sent again."""
        if self._taken >= self._allowed:
            return None
        from random import random  # a start does without it

        pause = backoff.pause(error, self._taken, random())  # noqa: S311 - nothing to be guessed
        self._taken += 1
        return pause


def _is_overtaken(call: Call, error: SidecarError, seconds: float) -> bool:
    """Tell whether others can be asked at once while this target wants to rest for long."""
    return seconds > backoff.LONGEST_S and any(accepts(other, error.type) for other in call.others)


async def _rest(call: Call, emit: Emit, seconds: float) -> None:
    """Tell the host, and wait."""
    await tell(emit, Status(state="retrying", attempt=len(call.attempts) + 1, ms=round(seconds * 1000)))
    await asyncio.sleep(seconds)


def _repairable(call: Call) -> str | None:
    """Return what the question may do without, where sending it again is worth a try and allowed."""
    lack, call.repair = call.repair, None
    if lack is None or lack in call.target.lacks or call.transcript.started:
        return None
    return lack if lack == CONVERSATION or call.request.on_unsupported == "warn" else None


class _Known:
    """What models lack, as far as this process has found out; the oldest entries are forgotten."""

    def __init__(self) -> None:
        self._lacks: OrderedDict[Origin, frozenset[str]] = OrderedDict()

    def lacks(self, model: Origin) -> frozenset[str]:
        return self._lacks.get(model, frozenset())

    def add(self, model: Origin, lack: str) -> None:
        if lack != CONVERSATION:
            self._lacks[model] = self.lacks(model) | {lack}
        if len(self._lacks) > MAX_KNOWN:
            self._lacks.popitem(last=False)

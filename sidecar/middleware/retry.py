"""Sends a request again: without what its model does not take, or after a pause. Nobody else resends."""

import asyncio
from collections import OrderedDict
from typing import Final

from msgspec.structs import replace

from sidecar.handler import Call, ChatHandler, Completion, Emit
from sidecar.middleware import backoff
from sidecar.schema.chat import Origin
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status
from sidecar.schema.timeouts import RetryOptions
from sidecar.transcript import Transcript

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
        repairs = retries = 0
        while True:
            try:
                return await handler(call, emit)
            except SidecarError as error:
                failure = error
            if repairs < MAX_REPAIRS and (lack := _repairable(call)):
                repairs += 1
                known.add(call.target.origin, lack)
                call.target = replace(call.target, lacks=call.target.lacks | {lack})
            elif (pause := _pause(call, failure, retries)) is not None:
                retries += 1
                await _rest(call, emit, pause)
            else:
                raise failure

    return retried


def _pause(call: Call, error: SidecarError, retries: int) -> float | None:
    """Return how long to wait before the question is sent as it was, where it may be."""
    allowed = (call.request.retry or RetryOptions()).max_retries
    if retries >= allowed or call.transcript.started:
        return None
    from random import random  # a start does without it

    return backoff.pause(error, retries, random())  # noqa: S311 - nothing to be guessed


async def _rest(call: Call, emit: Emit, seconds: float) -> None:
    """Tell the host, wait, and forget what the failed attempt has left."""
    await emit(Status(state="retrying", attempt=len(call.attempts) + 1, ms=round(seconds * 1000)))
    await asyncio.sleep(seconds)
    call.transcript = Transcript()
    call.cost = None


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

"""Sends a refused request again, without what its model does not take. Nobody else resends."""

from collections import OrderedDict
from typing import Final

from msgspec.structs import replace

from sidecar.handler import Call, ChatHandler, Completion, Emit
from sidecar.schema.chat import Origin
from sidecar.schema.errors import SidecarError

MAX_REPAIRS: Final = 3
"""How often one question is sent again; providers complain of one parameter at a time."""

MAX_KNOWN: Final = 1000
"""Of how many models it is remembered what they lack."""

CONVERSATION: Final = "opaque"
"""What is wrong with one conversation, not with the model."""


def retry(handler: ChatHandler) -> ChatHandler:
    """Send a question again that was refused for something it can do without; remember what that was."""
    known = _Known()

    async def retried(call: Call, emit: Emit) -> Completion:
        if lacks := known.lacks(call.target.origin):
            call.target = replace(call.target, lacks=lacks)
        for _ in range(MAX_REPAIRS):
            try:
                return await handler(call, emit)
            except SidecarError:
                lack = _repairable(call)
                if lack is None:
                    raise
            known.add(call.target.origin, lack)
            call.target = replace(call.target, lacks=call.target.lacks | {lack})
        return await handler(call, emit)

    return retried


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

"""Calls to nowhere in particular, for tests of what surrounds an engine."""

from collections.abc import Callable
from typing import Any

from sidecar.handler import Call, Target
from sidecar.providers import PROVIDERS
from sidecar.providers.scripted import ScriptedConfig
from sidecar.schema.chat import ChatRequest, Message
from sidecar.schema.events import Status


def ignore(status: Status) -> None:
    del status


def call_for(content: str = "hi", report: Callable[[Status], None] = ignore, **options: Any) -> Call:
    """Return a call to the scripted provider, with options of the request."""
    target = Target(
        id="scripted", provider=PROVIDERS["scripted"], config=ScriptedConfig(), endpoint="script:", model="script-1"
    )
    return Call(request=ChatRequest(messages=[Message("user", content)], **options), target=target, report=report)

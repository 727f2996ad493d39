"""Events of Messages, and what is made of them."""

import json
from typing import Any

import pytest
from recorded import AIM, ORIGIN

from sidecar.dialects.anthropic_messages import DIALECT
from sidecar.framing.frame import Frame
from sidecar.schema.chat import FinishReason, Opaque
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent

Json = dict[str, Any]

STOP = {"type": "message_stop"}
STOPPED = FinishReason("stop", "end_turn")


def frame(event: Any, name: str | None = None) -> Frame:
    return Frame(event if isinstance(event, bytes) else json.dumps(event, separators=(",", ":")).encode(), name)


def events_of(*events: Any) -> list[StreamEvent]:
    decoder = DIALECT.decode_stream(AIM)
    found = [event for one in events for event in decoder.feed(frame(one))]
    return [*found, *decoder.close()]


def error_of(*events: Any) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        events_of(*events)
    return caught.value


def start(index: int, **block: Any) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **members: Any) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **members}}


def end(index: int) -> Json:
    return {"type": "content_block_stop", "index": index}


def said(text: str, index: int = 0) -> list[Json]:
    return [start(index, type="text", text=""), delta(index, "text_delta", text=text), end(index)]


def finish(reason: str | None = "end_turn", **members: Any) -> Json:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, **members}


def opaque(data: Any) -> Opaque:
    return Opaque(json.dumps(data, separators=(",", ":")), ORIGIN)

"""A target of the Responses dialect, and answers read through it."""

from typing import Any

import msgspec
from msgspec.structs import replace

from sidecar.dialects.contract import Aim
from sidecar.dialects.openai_responses import DIALECT
from sidecar.dialects.quirks import ChatQuirks
from sidecar.framing.frame import Frame
from sidecar.schema.chat import ChatRequest, Opaque, Origin
from sidecar.schema.events import StreamEvent

ORIGIN = Origin("here", "https://llm.test/v1", "m-1")
ELSEWHERE = Origin("there", "https://llm.test/v1", "m-1")
AIM = Aim(provider="here", kind="kind", model="m-1", origin=ORIGIN, quirks=ChatQuirks(developer_role=True))


def opaque(data: Any, origin: Origin = ORIGIN) -> Opaque:
    """Return provider data, given as a value."""
    return Opaque(msgspec.json.encode(data).decode(), origin)


def body_of(request: ChatRequest, aim: Aim = AIM) -> dict[str, Any]:
    """Return the body of a request that is encoded without any warning."""
    encoded = DIALECT.encode_request(request, aim)
    assert (encoded.path, encoded.warnings, encoded.headers) == ("/responses", (), {})
    return msgspec.json.decode(encoded.body, type=dict[str, Any])


def events_of(*events: Any, **quirks: Any) -> list[StreamEvent]:
    """Return what a stream of `events` gives: JSON values, or bytes as they are."""
    decoder = DIALECT.decode_stream(replace(AIM, quirks=ChatQuirks(**quirks)))
    found: list[StreamEvent] = []
    for event in events:
        found += decoder.feed(Frame(event if isinstance(event, bytes) else msgspec.json.encode(event)))
    return [*found, *decoder.close()]


def added(place: int, **item: Any) -> dict[str, Any]:
    """Return the event that begins an item."""
    return {"type": "response.output_item.added", "output_index": place, "item": item}


def done(place: int, **item: Any) -> dict[str, Any]:
    """Return the event that ends an item."""
    return {"type": "response.output_item.done", "output_index": place, "item": item}


def delta(kind: str, place: int, text: str, **members: Any) -> dict[str, Any]:
    """Return an event that adds to an item."""
    return {"type": f"response.{kind}.delta", "output_index": place, "delta": text, **members}


def completed(**response: Any) -> dict[str, Any]:
    """Return the event that ends an answer."""
    return {"type": "response.completed", "response": {"status": "completed", **response}}

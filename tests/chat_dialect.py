"""A target of the Chat Completions dialect, and answers read through it."""

from collections.abc import Iterable
from typing import Any

import msgspec

from sidecar.dialects.contract import Aim, StreamDecoder
from sidecar.dialects.openai_chat import DIALECT
from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import UNKNOWN, ModelTraits
from sidecar.framing.frame import Frame
from sidecar.framing.sse import Framer
from sidecar.schema.chat import Origin
from sidecar.schema.events import StreamEvent
from sidecar.transcript import Transcript

ORIGIN = Origin("here", "https://llm.test/v1", "m-1")


def aim(traits: ModelTraits = UNKNOWN, lacks: Iterable[str] = (), **quirks: Any) -> Aim:
    """Return a target with the given deviations from the common form."""
    return Aim(
        provider="here",
        kind="kind",
        model="m-1",
        origin=ORIGIN,
        quirks=ChatQuirks(**quirks),
        traits=traits,
        lacks=frozenset(lacks),
    )


def read(decoder: StreamDecoder, pieces: Iterable[bytes], transcript: Transcript) -> list[StreamEvent]:
    """Read a stream as the engine does, adding its events to `transcript`."""
    framer = Framer()
    events: list[StreamEvent] = []

    def take(new: Iterable[StreamEvent]) -> None:
        for event in new:
            events.append(event)
            transcript.add(event)

    for piece in pieces:
        for frame in framer.feed(piece):
            take(decoder.feed(frame))
        if decoder.finished:
            break
    for frame in framer.close():
        take(decoder.feed(frame))
    take(decoder.close())
    return events


def events_of(*chunks: Any, **quirks: Any) -> list[StreamEvent]:
    """Return what a stream of `chunks` gives: JSON values, or bytes as they are."""
    decoder = DIALECT.decode_stream(aim(**quirks))
    events: list[StreamEvent] = []
    for chunk in chunks:
        data = chunk if isinstance(chunk, bytes) else msgspec.json.encode(chunk)
        events += decoder.feed(Frame(data))
    return [*events, *decoder.close()]


def delta(finish_reason: str | None = None, **members: Any) -> dict[str, Any]:
    """Return a chunk whose first choice has a delta of these members."""
    return {"choices": [{"index": 0, "delta": members, "finish_reason": finish_reason}]}

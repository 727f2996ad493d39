"""A target of the generateContent dialect, and answers read through it."""

from typing import Any

import msgspec

from sidecar.dialects.contract import Aim
from sidecar.dialects.gemini_generate import DIALECT
from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.traits import ModelTraits
from sidecar.framing.frame import Frame
from sidecar.schema.chat import ChatRequest, Message, Opaque, Origin
from sidecar.schema.events import StreamEvent

ORIGIN = Origin("here", "https://llm.test/v1beta", "m-1")
ELSEWHERE = Origin("elsewhere", "https://other.test/v1", "m-2")
THIRD = ModelTraits(
    efforts=("low", "medium", "high"), default_effort="medium", signed_calls=True, files_in_results=True
)
SECOND = ModelTraits(
    efforts=("none", "low", "medium", "high"),
    default_effort="medium",
    budgets=(1, 24_576),
    structured_with_tools=False,
    penalties=False,
)


def aim(traits: ModelTraits | None = None, **members: Any) -> Aim:
    """Return a target with these traits, or an unknown one."""
    known: dict[str, Any] = {"provider": "here", "kind": "kind", "model": "m-1", "origin": ORIGIN}
    return Aim(**(known | {"quirks": ChatQuirks(), "traits": traits or ModelTraits()} | members))


def opaque(data: Any, origin: Origin = ORIGIN) -> Opaque:
    """Return provider data of this target."""
    return Opaque(msgspec.json.encode(data).decode(), origin)


def events_of(*chunks: Any) -> list[StreamEvent]:
    """Return what a stream of `chunks` gives: JSON values, or bytes as they are."""
    decoder = DIALECT.decode_stream(aim())
    events: list[StreamEvent] = []
    for chunk in chunks:
        events += decoder.feed(Frame(chunk if isinstance(chunk, bytes) else msgspec.json.encode(chunk)))
    return [*events, *decoder.close()]


def chunk(*parts: Any, finish: str | None = None, usage: Any = None, **candidate: Any) -> dict[str, Any]:
    """Return an event with these parts."""
    members: dict[str, Any] = {"index": 0} | candidate
    members |= {"content": {"role": "model", "parts": list(parts)}} if parts else {}
    members |= {"finishReason": finish} if finish else {}
    return {"candidates": [members], "responseId": "r"} | ({"usageMetadata": usage} if usage else {})


def body_of(traits: ModelTraits | None = None, **members: Any) -> dict[str, Any]:
    """Return the body of a request, "hi" unless it says more."""
    return written(aim(traits), **members)[0]


def written(target: Aim, **members: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the body of a request to `target`, and what it warns of."""
    request = ChatRequest(**({"messages": [Message("user", "hi")]} | members))
    encoded = DIALECT.encode_request(request, target)
    return msgspec.json.decode(encoded.body), [warning.message for warning in encoded.warnings]

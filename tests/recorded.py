"""Recorded exchanges of real providers, kept beside the repository, and what their official SDKs make of them."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

from sidecar.dialects.contract import Aim, Dialect
from sidecar.dialects.named import dialect
from sidecar.dialects.quirks import ChatQuirks
from sidecar.schema.chat import FinishReason, Message, Origin, Part, Reasoning, Refusal, Text, ToolCall, Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import PartDelta, Status, StreamEvent, ToolCallDelta, UsageDelta
from sidecar.schema.usage import Usage
from sidecar.transcript import Transcript, _Growing

REPOSITORY = Path(__file__).resolve().parent.parent
RECORDINGS = REPOSITORY.parent / "shared" / "recordings"
OWN = REPOSITORY / "tests" / "recordings"
DIALECTS = ("openai-chat", "openai-responses", "anthropic-messages", "gemini-generate", "ollama-chat")

Json = dict[str, Any]

Unnumbered = UsageDelta | FinishReason | Warning | Status
"""Events that belong to no part."""

ORIGIN = Origin("here", "https://llm.test/v1", "m-1")
AIM = Aim(provider="here", kind="kind", model="m-1", origin=ORIGIN, quirks=ChatQuirks())

REASONS = {
    "": "stop",
    "stop": "stop",
    "completed": "stop",
    "end_turn": "stop",
    "STOP": "stop",
    "length": "length",
    "max_tokens": "length",
    "MAX_TOKENS": "length",
    "incomplete": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "SAFETY": "content_filter",
}
"""What the providers' finish reasons that were recorded mean."""


class SameJson:
    """Equals any text that holds this value."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and bool(json.loads(other) == self._value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return json.dumps(self._value)


def exchanges(*dialects: str) -> list[Json]:
    """Return the exchanges in these dialects, ours after the recorded ones; ours alone without the recordings."""
    paths = [path for folder in (RECORDINGS, OWN) for path in sorted((folder / "exchanges").glob("*.json"))]
    found = [json.loads(path.read_text()) for path in paths]
    return [exchange for exchange in found if exchange["dialect"] in (dialects or DIALECTS)]


def dialect_of(name: str) -> Dialect:
    """Return a dialect by its name in the recordings."""
    return dialect(name.replace("-", "_"))


def expectation(exchange_id: str) -> Json:
    """Return the whole record of what is to be made of an exchange."""
    paths = (folder / "expected" / f"{exchange_id}.json" for folder in (RECORDINGS, OWN))
    record: Json = json.loads(next(path for path in paths if path.exists()).read_text())
    return record


def expected(exchange_id: str) -> Json:
    """Return what `reading` is to return for an exchange."""
    record = expectation(exchange_id)
    raw = record.get("block_reason", record["finish_reason"])
    return {
        "text": record["text"],
        "reasoning": record["reasoning_text"],
        "refusal": record["refusal_text"] or "",
        "tool_calls": [_call(call) for call in record["tool_calls"]],
        "citations": record.get("citations", 0),
        "finish_reason": ANY if raw == "incomplete" else raw,
        "reason": _reason(record, raw),
        "usage": record["usage"] and _inclusive(record.get("dialect", ""), record["usage"]),
    }


def _reason(record: Json, raw: str | None) -> str | None:
    reason = REASONS.get(raw) if raw is not None else None
    if reason == "stop" and record["refusal_text"]:
        return "refusal"
    return "tool_calls" if reason == "stop" and record["tool_calls"] else reason


def _call(call: Json) -> Json:
    arguments = call["arguments"] if "arguments" in call else SameJson(call["json"])
    return {"id": call["id"] or ANY, "name": call["name"], "arguments": arguments}


def _inclusive(dialect: str, usage: Json) -> Json:
    """Return token counts with the totals that include their parts, from the words of each SDK."""
    told = {name: usage[name] for name in ("input", "output", "cached", "cache_write", "reasoning")}
    if dialect == "anthropic-messages":
        told["input"] += (told["cached"] or 0) + (told["cache_write"] or 0)
    if dialect == "gemini-generate":
        told["output"] += told["reasoning"] or 0
    return told


def reading(message: Message, finish: FinishReason | None, usage: Usage | None) -> Json:
    """Return an answer in the form of `expected`."""
    parts = message.content
    assert isinstance(parts, list)
    return {
        "text": "".join(part.text for part in parts if isinstance(part, Text)),
        "reasoning": "".join(part.text for part in parts if isinstance(part, Reasoning)),
        "refusal": "".join(part.text for part in parts if isinstance(part, Refusal)),
        "tool_calls": [
            {"id": part.id, "name": part.name, "arguments": part.arguments}
            for part in parts
            if isinstance(part, ToolCall)
        ],
        "citations": sum(len(part.citations) for part in parts if isinstance(part, Text)),
        "finish_reason": finish and finish.raw,
        "reason": finish and finish.reason,
        "usage": usage
        and {
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "cached": usage.cache_read_tokens,
            "cache_write": usage.cache_write_tokens,
            "reasoning": usage.reasoning_tokens,
        },
    }


def representative(preferred: Json) -> Json:
    """Return the id of one whole stream for each dialect: the preferred one, or ours where there are no others."""
    whole = [exchange for exchange in exchanges() if exchange["sse"]]
    found = {
        e["dialect"]: e["id"] for e in whole if expectation(e["id"])["error"] is None and expected(e["id"])["text"]
    }
    present = {exchange["id"] for exchange in whole}
    return found | {dialect: id_ for dialect, id_ in preferred.items() if id_ in present}


def request_id(exchange: Json) -> str | None:
    """Return the provider's name for a request that failed."""
    told = expectation(exchange["id"])["error"].get("request_id")
    sent = {name.lower(): str(value) for name, value in exchange["response_headers"].items()}
    return told or sent.get("x-request-id") or sent.get("request-id")


def in_pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


class Played:
    """A stream read as the engine reads it: what came of it, event by event, and how it failed."""

    def __init__(self, dialect: Dialect, pieces: Iterable[bytes], aim: Aim = AIM) -> None:
        self.events: list[StreamEvent] = []
        self.transcript = Transcript()
        self.error: SidecarError | None = None
        try:
            self._read(dialect, pieces, aim)
        except SidecarError as error:
            self.error = error

    def _read(self, dialect: Dialect, pieces: Iterable[bytes], aim: Aim) -> None:
        framer, decoder = dialect.framer(), dialect.decode_stream(aim)
        for piece in pieces:
            for frame in framer.feed(piece):
                self._take(decoder.feed(frame))
            if decoder.finished:
                break
        else:
            for frame in framer.close():
                self._take(decoder.feed(frame))
        self._take(decoder.close())

    def _take(self, events: Iterable[StreamEvent]) -> None:
        for event in events:
            self.events.append(event)
            self.transcript.add(event)

    def reading(self) -> Json:
        transcript = self.transcript
        return reading(transcript.message(), transcript.finish, transcript.usage)


def indexes(events: list[StreamEvent]) -> list[int]:
    """Return the indexes of the parts of an answer."""
    return sorted({event.index for event in events if not isinstance(event, Unnumbered)})


def disorders(events: list[StreamEvent]) -> list[str]:
    """Return what is out of order in the events of one answer."""
    return [words for check in (_tool_calls, _parts, _ending) for words in check(events)]


def _tool_calls(events: list[StreamEvent]) -> Iterator[str]:
    announced: set[int] = set()
    for event in events:
        if not isinstance(event, ToolCallDelta):
            continue
        if (event.index in announced) == (event.id is not None) or (event.id is None) != (event.name is None):
            yield f"the call at {event.index} is announced as {event}"
        announced.add(event.index)


def _parts(events: list[StreamEvent]) -> Iterator[str]:
    """Compare each whole part with the words that came before it; it may come again, with more about them."""
    before = Transcript()
    whole: set[int] = set()
    for event in events:
        if isinstance(event, Unnumbered):
            continue
        if isinstance(event, PartDelta):
            whole.add(event.index)
            grown = before.parts.get(event.index)
            spoken = "" if grown is None else _words(grown.part() if isinstance(grown, _Growing) else grown)
            if _words(event.part) != spoken:
                yield f"the part at {event.index} is {_words(event.part)!r} after {spoken!r}"
        elif event.index in whole:
            yield f"the part at {event.index} goes on when it is complete: {event}"
        before.add(event)


def _words(part: Part) -> Any:
    if isinstance(part, ToolCall):
        return part.id, part.name, part.arguments
    return getattr(part, "text", "")


def _ending(events: list[StreamEvent]) -> Iterator[str]:
    finishes = [n for n, event in enumerate(events) if isinstance(event, FinishReason)]
    if len(finishes) > 1:
        yield "it finishes more than once"
    if finishes and finishes[0] != len(events) - 1:
        yield f"{events[finishes[0] + 1 :]} follow the finish"
    if finishes and any(isinstance(event, UsageDelta) for event in events[finishes[0] :]):
        yield "token counts follow the finish"

"""What the raw peers share: the few fields that matter of an OpenAI answer, and an SSE cutter."""

from collections.abc import Iterator

import msgspec

from adapters.contract import Messages


class Delta(msgspec.Struct):
    content: str | None = None
    role: str | None = None


class StreamChoice(msgspec.Struct):
    index: int
    delta: Delta
    finish_reason: str | None = None


class Chunk(msgspec.Struct):
    id: str
    model: str
    choices: list[StreamChoice]
    usage: dict[str, object] | None = None


class Message(msgspec.Struct):
    content: str | None = None


class Choice(msgspec.Struct):
    message: Message
    finish_reason: str | None = None


class Completion(msgspec.Struct):
    id: str
    model: str
    choices: list[Choice]
    usage: dict[str, object] | None = None


encode = msgspec.json.Encoder().encode
decode_chunk = msgspec.json.Decoder(Chunk).decode
decode_completion = msgspec.json.Decoder(Completion).decode


def headers(key: str) -> dict[str, str]:
    """The headers of every request."""
    return {"authorization": f"Bearer {key}", "content-type": "application/json"}


def question(model: str, messages: Messages) -> bytes:
    """The body of a request for a whole answer."""
    return encode({"model": model, "messages": messages})


def stream_question(model: str, messages: Messages) -> bytes:
    """The body of a request for a streamed answer."""
    options = {"stream": True, "stream_options": {"include_usage": True}}
    return encode({"model": model, "messages": messages, **options})


def answer_text(body: bytes) -> str:
    """The text of a whole answer."""
    return decode_completion(body).choices[0].message.content or ""


def cut(rest: bytes, data: bytes) -> tuple[list[bytes], bytes]:
    """Cut `rest + data` into whole events and a new rest."""
    *events, rest = (rest + data if rest else data).split(b"\n\n")
    return events, rest


def texts(events: list[bytes]) -> Iterator[str]:
    """The text deltas of some events."""
    for event in events:
        if not event.startswith(b"data: {"):
            continue
        chunk = decode_chunk(event[6:])
        if chunk.choices and (text := chunk.choices[0].delta.content):
            yield text

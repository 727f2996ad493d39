"""What the sidecar writes: one typed decode for each event, and a closer look at everything else."""

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec
from msgspec import UNSET, DecodeError, Raw, Struct, UnsetType, ValidationError

from llm_sidecar.protocol import ErrorObject, Id, KnownDelta, StreamChunk, StreamStatus

UNREADABLE: Final = (DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for what is not JSON, or not JSON of the type."""
NOISE_BYTES: Final = 1000
"""So much of a line that cannot be used is shown in logs."""


class Chunk(Struct, frozen=True):
    """`StreamChunk` with a delta of a known type."""

    stream_id: str
    seq: int
    delta: KnownDelta


class _ChunkLine(Struct, frozen=True, tag_field="method", tag="stream.chunk"):
    params: Chunk


class _StatusLine(Struct, frozen=True, tag_field="method", tag="stream.status"):
    params: StreamStatus


class _Envelope(Struct, frozen=True):
    method: str | None = None
    params: Raw | UnsetType = UNSET
    id: Id | None = None
    result: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET


class _Addressed(Struct, frozen=True):
    stream_id: str


class Reply(Struct, frozen=True):
    """An answer to a request: a result, still JSON, or an error."""

    id: Id
    outcome: Raw | ErrorObject


class BrokenReply(Struct, frozen=True):
    """A reply that is not what the protocol says."""

    id: Id
    problem: str


class BrokenEvent(Struct, frozen=True):
    """An event that is not what the protocol says."""

    stream_id: str
    problem: str


class Noise(Struct, frozen=True):
    """A line from which nothing follows, but which should be known to whoever looks for a defect."""

    problem: str


Incoming: TypeAlias = Chunk | StreamChunk | StreamStatus | Reply | BrokenReply | BrokenEvent | Noise | None
"""What a line says; None is a message that a client need not know."""

_EVENT_LINES: Final[msgspec.json.Decoder[_ChunkLine | _StatusLine]] = msgspec.json.Decoder(_ChunkLine | _StatusLine)
_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_ERROR: Final = msgspec.json.Decoder(ErrorObject)
_ADDRESSED: Final = msgspec.json.Decoder(_Addressed)
_PARAMS: Final[dict[str, Callable[[Raw], StreamChunk | StreamStatus]]] = {
    "stream.chunk": msgspec.json.Decoder(StreamChunk).decode,
    "stream.status": msgspec.json.Decoder(StreamStatus).decode,
}


def read(line: bytes) -> Incoming:
    """Return what a line says."""
    try:
        return _EVENT_LINES.decode(line).params
    except ValidationError:
        return _read_other(line)
    except UNREADABLE as error:
        return _noise(line, error)


def _read_other(line: bytes) -> Incoming:
    try:
        envelope = _ENVELOPE.decode(line)
    except UNREADABLE as error:
        return _noise(line, error)
    if envelope.method is not None:
        return _event(envelope.method, envelope.params)
    if envelope.id is not None:
        return _reply(envelope.id, envelope)
    return None if envelope.error is UNSET else _noise(line, "it belongs to no request")


def _noise(line: bytes, reason: object) -> Noise:
    return Noise(f"A line was skipped, as {reason}: {line[:NOISE_BYTES].decode(errors='replace')}")


def _event(method: str, params: Raw | UnsetType) -> Incoming:
    decode = _PARAMS.get(method)
    if decode is None or params is UNSET:
        return None
    try:
        return decode(params)
    except UNREADABLE as error:
        return _broken_event(params, f"An event cannot be read: {error}")


def _broken_event(params: Raw, problem: str) -> Incoming:
    try:
        return BrokenEvent(_ADDRESSED.decode(params).stream_id, problem)
    except UNREADABLE:
        return Noise(problem)


def _reply(id_: Id, envelope: _Envelope) -> Incoming:
    match envelope.result, envelope.error:
        case Raw() as result, UnsetType():
            return Reply(id_, result)
        case UnsetType(), Raw() as error:
            return _error_reply(id_, error)
        case _:
            return BrokenReply(id_, "A reply has either a result or an error.")


def _error_reply(id_: Id, error: Raw) -> Incoming:
    try:
        return Reply(id_, _ERROR.decode(error))
    except UNREADABLE as problem:
        return BrokenReply(id_, f"An error cannot be read: {problem}")

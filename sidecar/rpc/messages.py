"""JSON-RPC 2.0 messages between bytes and values. https://www.jsonrpc.org/specification"""

import codecs
import re
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from sidecar.schema.errors import ErrorObject, SidecarError
from sidecar.schema.secret import decode_hook

Id = str | int

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not JSON."""

NOTHING: Final = frozenset({b"null", b"[]", b"[null]"})
"""What JSON-RPC libraries write for params that were left out."""
LONGEST_NOTHING: Final = max(map(len, NOTHING))

MAX_BATCH_BYTES: Final = 1 << 20
"""A batch asks for what is answered at once, in few bytes; more would only be work that ends in a refusal."""
MAX_BATCH: Final = 100
MENDED_SURROGATES: Final = 1 << 19

SEARCHED_BYTES: Final = 4096
"""How much of each end of a message that cannot be read is searched for its id."""

LONE_SURROGATE: Final = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
ID_IN_HEAD: Final = re.compile(
    rb'\A\s*\{(?:\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*,)*\s*"id"\s*:\s*("[^"\\]*"|-?\d+)\s*[,}]'
)
ID_IN_TAIL: Final = re.compile(
    rb'\}\s*(?:,\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*)*,\s*"id"\s*:\s*("[^"\\]*"|-?\d+)\s*'
    rb'(?:,\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*)*\}\s*\Z'
)


class _Envelope(Struct):
    jsonrpc: Raw = Raw()
    id: Raw = Raw()
    method: Raw = Raw()
    params: Raw = Raw()
    result: Raw = Raw()
    error: Raw = Raw()


class Incoming(Struct, frozen=True):
    """A request, or a notification when `id` is None. `params` are undecoded; `size` is the line's, in bytes."""

    id: Id | None
    method: str
    params: Raw
    size: int


class Invalid(Struct, frozen=True):
    """Something that must be answered with an error; `id` is null where none could be read."""

    id: Id | None
    error: SidecarError


class Ignored(Struct, frozen=True):
    """A reply to nothing: this server sends no requests."""


class Reply(Struct, tag_field="jsonrpc", tag="2.0"):
    """A successful reply."""

    id: Id
    result: Any


class ErrorReply(Struct, tag_field="jsonrpc", tag="2.0"):
    """A failed reply."""

    id: Id | None
    error: ErrorObject


class Notification(Struct, tag_field="jsonrpc", tag="2.0"):
    """A message without an answer."""

    method: str
    params: Any


_decode_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_decode_raws: Final = msgspec.json.Decoder(list[Raw]).decode
_decode_id: Final = msgspec.json.Decoder(str | int).decode
_decode_str: Final = msgspec.json.Decoder(str).decode
_encode: Final = msgspec.json.Encoder().encode


def decode(
    line: bytes, max_batch: int = MAX_BATCH
) -> Incoming | Invalid | Ignored | list[Incoming | Invalid | Ignored]:
    """Return the message or the batch that `line` holds; nothing is raised."""
    try:
        return _decode_line(line, max_batch)
    except UNREADABLE:
        mended = mend_surrogates(line)
    try:
        return _decode_line(mended, max_batch)
    except RecursionError:
        error = SidecarError("parse_error", "The message is nested too deeply.")
        return Invalid(find_id(line[:SEARCHED_BYTES], line[-SEARCHED_BYTES:]), error)
    except UNREADABLE:
        return Invalid(None, SidecarError("parse_error"))


def mend_surrogates(line: bytes) -> bytes:
    """Write lone surrogates, as `JSON.stringify` makes them, as U+FFFD; not in a line that is made of nothing else."""
    if not 0 < line.count(rb"\ud") + line.count(rb"\uD") <= MENDED_SURROGATES:
        return line
    return LONE_SURROGATE.sub(lambda match: match[1] + (match[2] or rb"\ufffd"), line)


def _decode_line(line: bytes, max_batch: int) -> Incoming | Invalid | Ignored | list[Incoming | Invalid | Ignored]:
    if not line.isascii():
        line.decode()
    return _decode_batch(line, max_batch) if line.lstrip()[:1] == b"[" else _decode_one(line)


def _decode_batch(line: bytes, max_batch: int) -> Invalid | list[Incoming | Invalid | Ignored]:
    if len(line) > MAX_BATCH_BYTES:
        return _no_batch(f"A batch may have {MAX_BATCH_BYTES} bytes.")
    batch = _decode_raws(line)
    if len(batch) > max_batch:
        return _no_batch(f"A batch may have {max_batch} messages.")
    return [_decode_member(bytes(raw)) for raw in batch] or _no_batch("The batch is empty.")


def _no_batch(reason: str) -> Invalid:
    return Invalid(None, SidecarError("invalid_message", reason))


def _decode_member(raw: bytes) -> Incoming | Invalid | Ignored:
    try:
        return _decode_one(raw)
    except UNREADABLE:
        return Invalid(None, SidecarError("invalid_message"))


def _decode_one(line: bytes) -> Incoming | Invalid | Ignored:
    try:
        envelope = _decode_envelope(line)
    except msgspec.ValidationError:
        return Invalid(None, SidecarError("invalid_message", "A message must be an object."))
    return _check(envelope, len(line))


def _check(envelope: _Envelope, size: int) -> Incoming | Invalid | Ignored:
    if not envelope.method and (envelope.result or envelope.error):
        return Ignored()
    try:
        id_ = _decode_id(envelope.id) if envelope.id else None
    except UNREADABLE:
        return Invalid(None, SidecarError("invalid_message", "An id must be a string or a 64-bit integer."))
    if bytes(envelope.jsonrpc) != b'"2.0"':
        return Invalid(id_, SidecarError("invalid_message", 'The member "jsonrpc" must be "2.0".'))
    try:
        method = _decode_str(envelope.method or b"null")
    except UNREADABLE:
        return Invalid(id_, SidecarError("invalid_message", 'The member "method" must be a string.'))
    return Incoming(id_, method, envelope.params, size)


@cache
def decoder(kind: type) -> msgspec.json.Decoder[Any]:
    """Return the decoder of a params type, made on first use."""
    return msgspec.json.Decoder(kind, dec_hook=decode_hook)


def decode_params(decoder: msgspec.json.Decoder[Any], params: Raw) -> Any:
    """Return the typed params, or raise `invalid_params`. Absent params are an empty object."""
    try:
        return decoder.decode(b"{}" if _are_absent(params) else params)
    except msgspec.ValidationError as error:
        raise SidecarError("invalid_params", _sentence(str(error))) from None
    except UNREADABLE:
        raise SidecarError("invalid_params", "The params cannot be read.") from None


def _are_absent(params: Raw) -> bool:
    return not params or (len(params) <= LONGEST_NOTHING and bytes(params) in NOTHING)


def _sentence(message: str) -> str:
    return message if message.endswith(".") else f"{message}."


def find_id(head: bytes, tail: bytes) -> Id | None:
    """Return the id of a message of which only the first and the last bytes are known, or None."""
    match = ID_IN_HEAD.match(head) or ID_IN_TAIL.search(tail)
    if match is None:
        return None
    try:
        found: Id = _decode_id(match[1])
    except UNREADABLE:
        return None
    return found


def encode(message: Struct | list[Struct]) -> bytes:
    """Return the message as one line of printable ASCII, line feed included."""
    data = _encode(message)
    if not data.isascii():
        data = data.decode().encode("ascii", "json-escape")
    if b"\x7f" in data:
        data = data.replace(b"\x7f", b"\\u007f")
    return data + b"\n"


def _escape(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    units = error.object[error.start : error.end].encode("utf-16-be")
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True)), error.end


codecs.register_error("json-escape", _escape)

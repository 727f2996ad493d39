"""JSON of the server, read at full speed where it is as it should be and leniently where it is not."""

from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from sidecar.dialects import lenient

T = TypeVar("T", bound=Struct)


def read(data: bytes | Raw, kind: type[T]) -> T:
    """Return `data` as `kind`; raises as `lenient.read` does."""
    try:
        return msgspec.json.decode(data, type=kind)
    except lenient.UNREADABLE:
        return lenient.read(bytes(data), kind)


def text_of(raw: Raw) -> str:
    """Return JSON as it came."""
    return bytes(raw).decode(errors="replace")

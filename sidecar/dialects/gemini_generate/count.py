"""Tokens counted before anything is asked. https://ai.google.dev/api/tokens"""

from msgspec import Struct

from sidecar.dialects import lenient
from sidecar.dialects.counts import Number, whole
from sidecar.schema.errors import SidecarError


class Count(Struct, frozen=True, rename="camel"):
    """How many tokens a question has."""

    total_tokens: Number = None


def decode_count(body: bytes) -> int:
    """Return the number of tokens."""
    counted = whole(lenient.read(body, Count).total_tokens)
    if counted is None:
        raise SidecarError("malformed_response", "The provider's answer holds no count.")
    return counted

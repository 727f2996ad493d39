"""What a framer makes of a stream of bytes."""

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct


class Frame(Struct, frozen=True, gc=False):
    """One message. `event` is its name, where the framing has names and the sender gave one."""

    data: bytes
    event: str | None = None


class Framer(Protocol):
    """Cuts one stream; never reused. Raises `SidecarError("malformed_response")` when a frame exceeds its bound."""

    def feed(self, data: bytes) -> Iterable[Frame]: ...
    def close(self) -> Iterable[Frame]: ...

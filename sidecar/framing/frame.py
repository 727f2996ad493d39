"""What a framer makes of a stream of bytes."""

from collections.abc import Iterable
from typing import Final, Protocol

from msgspec import Struct

from sidecar.schema.errors import SidecarError

LARGE_BYTES: Final = 1 << 20
"""Up to this length it does not matter what JSON holds."""

MAX_CONTAINERS: Final = 1 << 17
"""The most objects and lists in longer JSON: three bytes of it take a hundred once it is read."""


class Frame(Struct, frozen=True, gc=False):
    """One message. `event` is its name, where the framing has names and the sender gave one."""

    data: bytes
    event: str | None = None


class Framer(Protocol):
    """Cuts one stream; never reused. Raises `SidecarError("malformed_response")` when a frame exceeds its bound."""

    def feed(self, data: bytes) -> Iterable[Frame]: ...
    def close(self) -> Iterable[Frame]: ...


def check_density(data: bytes) -> None:
    """Raise `malformed_response` for JSON that would take many times its length in memory."""
    if len(data) > LARGE_BYTES and data.count(b"{") + data.count(b"[") > MAX_CONTAINERS:
        raise SidecarError("malformed_response", "The provider's answer holds too much to be read.")

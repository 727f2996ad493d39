"""What the namespaces of methods call: whatever sends requests and gives their results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from llm_sidecar.protocol import StreamRequest
    from llm_sidecar.streams import Stream

T = TypeVar("T")


class Caller(Protocol):
    """Sends requests."""

    async def call(self, method: str, params: object, result: type[T]) -> T:
        """Return the result of a request; raise `SidecarError` where there is none."""
        ...

    def stream(self, request: StreamRequest) -> Stream:
        """Begin a stream."""
        ...

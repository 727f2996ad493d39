"""What the harness asks of every peer."""

from collections.abc import AsyncIterator
from typing import Any

Messages = list[dict[str, Any]]


class Client:
    """A library, or the sidecar, behind three calls. `base` is the provider's root, e.g. `http://127.0.0.1:8901`."""

    spawned_at: int | None = None
    """When a process of its own was spawned, in nanoseconds of the monotonic clock."""

    def __init__(self, base: str) -> None:
        """Hold no more than the address: the clock is running."""
        self.base = base
        self.key = "sk-benchmark"

    async def open(self) -> None:
        """Get ready for the first request."""
        raise NotImplementedError

    async def unary(self, model: str, messages: Messages) -> str:
        """Ask once; the answer's text."""
        raise NotImplementedError

    def stream(self, model: str, messages: Messages) -> AsyncIterator[str]:
        """Ask once; the answer's text as it arrives, cut anywhere."""
        raise NotImplementedError

    async def keychain(self) -> None:
        """Load the keychain, where the peer has one."""

    def native(self, messages: Messages) -> Messages:
        """The same messages (given in OpenAI's form) in the form that the peer's users write."""
        return messages

    def pids(self) -> list[int]:
        """The processes of its own, beside the one it is driven from."""
        return []

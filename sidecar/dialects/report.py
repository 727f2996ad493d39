"""What a request could not carry."""

from typing import Literal

from sidecar.schema.chat import Warning
from sidecar.schema.errors import SidecarError


class Report:
    """Collects warnings about one request, or raises them where the host asked for that."""

    __slots__ = ("_on_unsupported", "_warnings")

    def __init__(self, on_unsupported: Literal["warn", "error"]) -> None:
        self._on_unsupported = on_unsupported
        self._warnings: dict[Warning, None] = {}

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """The warnings so far, each once."""
        return tuple(self._warnings)

    def unsupported(self, param: str, reason: str, remedy: str = "it was left out") -> None:
        """Note that a parameter cannot be sent, and what was done about it."""
        if self._on_unsupported == "error":
            raise SidecarError("unsupported_parameter", f"{reason}.", param=param)
        self._warnings[Warning("unsupported_parameter", f"{reason}; {remedy}.", param)] = None

    def no_cache_marks(self) -> None:
        """Note that a hint what to cache has nowhere to go."""
        self.unsupported("cache", "The provider decides by itself what it caches")

    def history(self, message: str) -> None:
        """Note that the conversation was changed so that the provider accepts it."""
        self._warnings[Warning("conversation_changed", message, "messages")] = None

    def opaque_dropped(self) -> None:
        """Note that provider data of another origin stays behind."""
        message = "Provider data in the conversation comes from another model and was left out."
        self._warnings[Warning("opaque_dropped", message, "messages")] = None


def refuse(message: str) -> SidecarError:
    """Return the error for content that cannot be sent."""
    return SidecarError("unsupported_feature", message)

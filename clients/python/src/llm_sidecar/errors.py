"""The one error that calls and streams raise, and those of its kinds that the client itself makes."""

from datetime import timedelta

from msgspec import Struct

from llm_sidecar.protocol import Category, ErrorData, ErrorObject, ErrorType


class SidecarError(Exception):
    """A call failed. `data` is all that is known of it; switch on `type`, for unknown ones on `category`."""

    def __init__(self, code: int, message: str, data: ErrorData) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    @property
    def type(self) -> ErrorType:
        """What went wrong."""
        return self.data.type

    @property
    def category(self) -> Category:
        """What kind of thing went wrong."""
        return self.data.category

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.data.retryable

    @property
    def retry_after(self) -> timedelta | None:
        """How long to wait before the same request is worth another try, where that is known."""
        milliseconds = self.data.retry_after_ms
        return None if milliseconds is None else timedelta(milliseconds=milliseconds)

    def __repr__(self) -> str:
        return f"SidecarError({self.type!r}, {self.message!r})"


class Kind(Struct, frozen=True):
    """An error of the client's own."""

    type: ErrorType
    code: int
    category: Category
    retryable: bool
    message: str

    def error(self, detail: str = "") -> SidecarError:
        """Return the error; `detail` says more than its usual sentence."""
        data = ErrorData(type=self.type, category=self.category, retryable=self.retryable)
        return SidecarError(self.code, f"{self.message} {detail}".rstrip(), data)


NOT_FOUND = Kind("sidecar_not_found", -32098, "config", retryable=False, message="There is no executable.")
CLOSED = Kind("connection_closed", -32099, "protocol", retryable=True, message="The sidecar has gone.")
INVALID = Kind("invalid_message", -32600, "protocol", retryable=False, message="The sidecar broke the protocol.")
CANCELLED = Kind("request_cancelled", -32800, "protocol", retryable=False, message="The request was cancelled.")
STALLED = Kind("client_stalled", -32006, "protocol", retryable=True, message="Too many events were left unread.")
VERSION = Kind(
    "unsupported_protocol_version", -32004, "protocol", retryable=False, message="No common protocol version."
)


def from_reply(error: ErrorObject) -> SidecarError:
    """Return the error that a reply tells of."""
    return SidecarError(error.code, error.message, error.data)

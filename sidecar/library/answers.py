"""What a server's answer to the question for a file means."""

import re
from typing import Final

from msgspec import Struct

from sidecar.library.remote import Remote
from sidecar.providers.hub import KEY_HINT
from sidecar.schema.errors import ErrorType, SidecarError

WHOLE: Final = 200
PART: Final = 206
NOTHING_LEFT: Final = 416
PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
CONTENT_RANGE: Final = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
MAX_TOTAL: Final = 1 << 50
MAX_RETRY_AFTER_S: Final = 3600

TRANSIENT: Final = frozenset[ErrorType](
    {"dns", "connect", "proxy", "timeout", "stream_interrupted", "rate_limited", "provider_overloaded", "server_error"}
)
REFUSALS: Final[dict[int, tuple[ErrorType, str]]] = {
    401: ("authentication", "{host} wants a key for this file."),
    403: ("permission_denied", "{host} does not give this file to you."),
    404: ("model_not_found", "{host} has no such file."),
    408: ("timeout", "{host} waited too long."),
    410: ("model_not_found", "{host} has no such file any more."),
    429: ("rate_limited", "{host} has been asked too often."),
    503: ("provider_overloaded", "{host} is overloaded."),
}
KEY_ERRORS: Final = frozenset({401, 403})
SERVER_ERRORS: Final = range(500, 600)


class Extent(Struct, frozen=True):
    """Which bytes an answer has, and how many there are in all, if that is told. `complete` where none is left."""

    start: int
    total: int | None
    complete: bool = False


def transient(error: SidecarError) -> bool:
    """Tell whether another attempt may do better."""
    return error.type in TRANSIENT


def unsuitable(what: str) -> SidecarError:
    """Say that what came is no model."""
    return SidecarError("model_file_invalid", f"What the server sent {what}.", hint="Check the address.")


async def refusal(remote: Remote) -> SidecarError | None:
    """Return the error that an answer without a file stands for."""
    answer, host = remote.answer, remote.host
    if answer.status in (WHOLE, PART, NOTHING_LEFT):
        return _unreadable(answer.headers) if answer.status != NOTHING_LEFT else None
    kind, message = REFUSALS.get(answer.status, ("download_failed", "{host} does not give the file."))
    if answer.status in SERVER_ERRORS and kind == "download_failed":
        kind, message = "server_error", "{host} failed."
    hint = KEY_HINT if answer.status in KEY_ERRORS else None
    error = SidecarError(kind, message.format(host=host), http_status=answer.status, hint=hint)
    if (seconds := answer.headers.get("retry-after", "")).isdecimal():
        error.details["retry_after_ms"] = min(int(seconds[:9]), MAX_RETRY_AFTER_S) * 1000
    return error


def _unreadable(headers: dict[str, str]) -> SidecarError | None:
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        return unsuitable("is compressed, which was not asked for")
    if headers.get("content-type", "").partition(";")[0].strip().lower() in PAGES:
        return unsuitable("is a web page, not a model file")
    return None


def extent_of(remote: Remote, size: int) -> Extent:
    """Return which bytes an answer has, to somebody who has `size` of them."""
    answer = remote.answer
    if answer.status == WHOLE:
        length = answer.headers.get("content-length", "")
        return Extent(0, _number(length))
    found = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", "").strip())
    total = _number(found[3]) if found else None
    if answer.status == NOTHING_LEFT:
        return Extent(-1, total, complete=total == size)
    if found is None or found[1] is None:
        raise SidecarError("malformed_response", f"{remote.host} does not say which part of the file it sent.")
    return Extent(int(found[1]), total)


def _number(text: str) -> int | None:
    number = int(text) if text.isdecimal() and len(text) <= len(str(MAX_TOTAL)) else None
    return number if number is None or number <= MAX_TOTAL else None

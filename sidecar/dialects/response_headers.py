"""What the headers of an error response say. https://www.rfc-editor.org/rfc/rfc9110#name-retry-after"""

from datetime import datetime
from math import isfinite
from typing import Final

REQUEST_IDS: Final = ("x-request-id", "request-id", "apim-request-id", "x-generation-id")
HTTP_DATE: Final = "%a, %d %b %Y %H:%M:%S GMT"
MAX_ID_CHARS: Final = 200


def request_id(headers: dict[str, str]) -> str | None:
    """Return the provider's name for the request."""
    return next((headers[name][:MAX_ID_CHARS] for name in REQUEST_IDS if headers.get(name)), None)


def should_retry(headers: dict[str, str]) -> bool | None:
    """Return the provider's own verdict, where it gives one."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").lower())


def retry_after_ms(headers: dict[str, str]) -> int | None:
    """Return how long to wait. A date counts from the response's own, so that clocks need not agree."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds:
        return milliseconds
    value = headers.get("retry-after", "")
    seconds = _number(value, 1000)
    return (_until(value, headers.get("date", "")) if seconds is None else seconds) or None


def _number(text: str, unit: int = 1) -> int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return round(value * unit) if isfinite(value) and value >= 0 else None


def _until(then: str, now: str) -> int | None:
    try:
        wait = datetime.strptime(then, HTTP_DATE) - datetime.strptime(now, HTTP_DATE)  # noqa: DTZ007 - both are GMT
    except ValueError:
        return None
    return max(0, round(wait.total_seconds() * 1000))

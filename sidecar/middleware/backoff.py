"""How long to wait before a failed request is sent again, if at all; pure."""

from typing import Final

from sidecar.schema.errors import ErrorType, SidecarError

FIRST_S: Final = 0.5
LONGEST_S: Final = 8.0
"""The pause doubles from the first to the longest, where the provider does not say."""
MAX_ASKED_S: Final = 120.0
"""A provider that asks for a longer pause is left to the host, which learns of it."""
JITTER: Final = 0.25
"""By how much of itself a pause may be shortened, so that many clients do not come back at once."""

TRANSIENT: Final[frozenset[ErrorType]] = frozenset(
    {"rate_limited", "provider_overloaded", "server_error", "stream_interrupted", "dns", "connect", "proxy", "timeout"}
)
"""What may be over soon. Bills, quotas, contexts and policies are not; nor is a crash, which would come again."""
LATE_STAGES: Final = frozenset({"first_token", "idle", "total", "queue"})
"""A provider that took a question and did not answer in time may be at work, and be paid for it.

What was held back for a rate limit as long as it may be does not wait for it again.
"""


def pause(error: SidecarError, retries: int, random: float) -> float | None:
    """Return the seconds to wait after so many retries; None where the request is not to be sent again.

    `random` is a number from 0 to 1.
    """
    if not _transient(error):
        return None
    asked = error.details.get("retry_after_ms")
    if asked is None:
        return float(min(FIRST_S * 2**retries, LONGEST_S) * (1 - JITTER * random))
    seconds = float(asked) / 1000
    return seconds * (1 + JITTER * random / 10) if seconds <= MAX_ASKED_S else None


def _transient(error: SidecarError) -> bool:
    """Return the provider's own verdict, where it gave one, or else that of the type."""
    verdict = error.details.get("retryable")
    if verdict is not None:
        return bool(verdict)
    return error.type in TRANSIENT and error.details.get("stage") not in LATE_STAGES

"""After which failures another target is asked, and in which order; pure."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from sidecar.handler import Candidate
from sidecar.middleware.backoff import TRANSIENT
from sidecar.schema.chat import Origin
from sidecar.schema.errors import Category, ErrorType, SidecarError

OWN_TO_TARGET: Final = TRANSIENT | frozenset[ErrorType](
    {
        "tls",
        "malformed_response",
        "authentication",
        "permission_denied",
        "insufficient_quota",
        "provider_not_configured",
        "credential_not_found",
        "keyring_unavailable",  # a model on this machine needs no key, and another key may be in memory
        "keyring_locked",
        "keyring_denied",
        "origin_not_allowed",
        "privacy_blocked",  # of that target: what all would be forbidden is refused before anybody is asked
        "budget_exceeded",  # a model that costs nothing is within any budget
        "model_not_found",
        "unsupported_feature",
        "unsupported_parameter",
        "context_length_exceeded",  # contexts and sizes differ from model to model
        "payload_too_large",
        "engine_unavailable",
        "engine_crashed",  # at this question with this model, so another may answer it
        "out_of_memory",
        "model_file_invalid",
    }
)
"""What another target may not have.

Left out on purpose: `request_rejected`, as what is wrong with a request is wrong everywhere; `content_filtered`, as
nobody should shop around for policies; `output_invalid`, as an answer was given. Of `timeout` it is the deadlines of an
attempt: that of the whole call ends the search, too.
"""

NOBODYS: Final[frozenset[Category]] = frozenset({"protocol", "internal"})
"""Failures of the host or the sidecar: they are told as they are, whoever was asked."""

COOLING: Final = TRANSIENT | frozenset[ErrorType](
    {
        "tls",
        "malformed_response",
        "insufficient_quota",
        "engine_unavailable",
        "engine_crashed",
        "out_of_memory",
    }
)
"""What lasts a while and takes a while to find out.

Not what lies in the request, such as `context_length_exceeded`, nor what the host can mend at any moment and is told at
once, such as a key.
"""

MAX_COOLDOWN_S: Final = 600.0
"""The longest that a target is passed over, whatever its provider asks for."""

MAX_REMEMBERED: Final = 1000


class _Failure(Struct, frozen=True):
    type: ErrorType
    until: float


class Cooldowns:
    """Which targets failed a moment ago; the oldest entries are forgotten. Times are in seconds, on any one clock."""

    def __init__(self, usual_s: float) -> None:
        self._usual_s = usual_s
        self._failures: OrderedDict[Origin, _Failure] = OrderedDict()

    def reason(self, target: Origin, now: float) -> ErrorType | None:
        """Return why a target is to be passed over, if it is."""
        failure = self._failures.get(target)
        return failure.type if failure and now < failure.until else None

    def failed(self, target: Origin, error: SidecarError, now: float) -> None:
        """Take note of a failure."""
        if error.type not in COOLING:
            return
        asked = error.details.get("retry_after_ms")
        pause = self._usual_s if asked is None else min(asked / 1000, MAX_COOLDOWN_S)
        self._failures[target] = _Failure(error.type, now + pause)
        self._failures.move_to_end(target)
        if len(self._failures) > MAX_REMEMBERED:
            self._failures.popitem(last=False)

    def answered(self, target: Origin) -> None:
        """Forget a target's failure."""
        self._failures.pop(target, None)


def accepts(candidate: Candidate, reason: ErrorType) -> bool:
    """Tell whether a candidate is asked after this failure of another."""
    return reason in (candidate.on or OWN_TO_TARGET)


def route(
    candidates: Sequence[Candidate], reason: Callable[[Candidate], ErrorType | None]
) -> tuple[list[Candidate], ErrorType | None]:
    """Return the order in which to ask, and why the first was put off, if it was.

    `reason` tells why a candidate is to be passed over. It goes to the end if another, that is asked after such a
    failure, is not passed over itself; otherwise it keeps its place.
    """
    ready = [candidate for candidate in candidates if reason(candidate) is None]

    def put_off(candidate: Candidate) -> bool:
        why = reason(candidate)
        return why is not None and any(accepts(other, why) for other in ready)

    order = sorted(candidates, key=put_off)
    return order, reason(candidates[0]) if put_off(candidates[0]) else None

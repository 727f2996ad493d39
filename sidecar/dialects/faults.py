"""What a provider's error means: tables from codes, words and statuses to the protocol's error types."""

import re
from typing import Final

from msgspec import Struct

from sidecar.schema.errors import ErrorType


class Fault(Struct, frozen=True, kw_only=True):
    """An error as far as it could be read. `page` tells that a web page came in its place."""

    message: str = ""
    codes: tuple[str, ...] = ()
    status: int | None = None
    param: str | None = None
    reasons: tuple[str, ...] = ()
    in_flight: bool = False
    daily: bool = False
    retry_after_ms: int | None = None
    requested: int | None = None
    limit: int | None = None
    page: bool = False


PRECISE_CODES: Final[dict[str, ErrorType]] = {
    "context_length_exceeded": "context_length_exceeded",
    "exceed_context_size_error": "context_length_exceeded",
    "token_limit_exceeded": "context_length_exceeded",
    "max_tokens_exceeded": "context_length_exceeded",
    "content_policy_violation": "content_filtered",
    "content_filter": "content_filtered",
    "responsibleaipolicyviolation": "content_filtered",
    "invalid_prompt": "content_filtered",
    "bio_policy": "content_filtered",
    "cyber_policy": "content_filtered",
    "cyber_policy_violation": "content_filtered",
    "misalignment_policy_violation": "content_filtered",
    "refusal": "content_filtered",
    "insufficient_quota": "insufficient_quota",
    "credit_balance_exhausted": "insufficient_quota",
    "organization_usage_limit_exceeded": "insufficient_quota",
    "organization_spend_limit_exceeded": "insufficient_quota",
    "project_spend_limit_exceeded": "insufficient_quota",
    "billing_hard_limit_reached": "insufficient_quota",
    "payment_required": "insufficient_quota",
    "billing_error": "insufficient_quota",
    "organization_on_hold": "insufficient_quota",
    "enforced_spend_limit_reached": "insufficient_quota",
    "contract_spend_limit_reached": "insufficient_quota",
    "workspace_spend_limit_reached": "insufficient_quota",
    "ramp_limit_exceeded": "rate_limited",
    "invalid_api_key": "authentication",
    "api_key_invalid": "authentication",
    "model_not_found": "model_not_found",
    "deploymentnotfound": "model_not_found",
    "tool_use_failed": "server_error",
    "slow_down": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "server_is_overloaded": "provider_overloaded",
}
"""Codes that say more than the status and the message."""

CODES: Final[dict[str, ErrorType]] = {
    "authentication": "authentication",
    "authentication_error": "authentication",
    "permission_denied": "permission_denied",
    "permission_error": "permission_denied",
    "rate_limit_error": "rate_limited",
    "ratelimitreached": "rate_limited",
    "provider_overloaded": "provider_overloaded",
    "capacity_exceeded": "provider_overloaded",
    "overloaded_error": "provider_overloaded",
    "unavailable_error": "provider_overloaded",
    "service_unavailable_error": "provider_overloaded",
    "provider_unavailable": "server_error",
    "server_error": "server_error",
    "server": "server_error",
    "internal_server_error": "server_error",
    "api_error": "server_error",
    "internal": "server_error",
    "unknown": "server_error",
    "data_loss": "server_error",
    "aborted": "server_error",
    "unavailable": "provider_overloaded",
    "resource_exhausted": "rate_limited",
    "unauthenticated": "authentication",
    "deadline_exceeded": "timeout",
    "timeout_error": "timeout",
    "request_too_large": "payload_too_large",
    "invalid_argument": "request_rejected",
    "failed_precondition": "request_rejected",
    "out_of_range": "request_rejected",
    "not_found_error": "request_rejected",
    "timeout": "timeout",
    "unsupported_parameter": "unsupported_parameter",
    "unsupported_value": "unsupported_parameter",
    "payload_too_large": "payload_too_large",
    "invalid_request": "request_rejected",
    "invalid_request_error": "request_rejected",
    "badrequesterror": "request_rejected",
    "string_too_long": "request_rejected",
    "string_above_max_length": "request_rejected",
}
"""Codes that say what a status says; for errors without one, and for statuses that say less."""

STATUSES: Final[dict[int, ErrorType]] = {
    401: "authentication",
    402: "insufficient_quota",
    403: "permission_denied",
    404: "request_rejected",
    408: "timeout",
    409: "server_error",
    413: "payload_too_large",
    424: "server_error",
    429: "rate_limited",
    498: "provider_overloaded",
    499: "server_error",
    503: "provider_overloaded",
    504: "timeout",
    524: "provider_overloaded",
    529: "provider_overloaded",
}
"""What a status means by itself. Others below 500 are `request_rejected`, from 500 on `server_error`."""

VAGUE_STATUSES: Final = frozenset({None, 400, 413, 422, 500, 502, 503})
"""Statuses that a code may specify."""

CONTEXT_SIGNS: Final = (
    ("maximum context length",),
    ("maximum context limit",),
    ("context length", "exceed"),
    ("greater than the context length",),
    ("longer than the model's context length",),
    ("exceed context limit",),
    ("exceeds the available context size",),
    ("context window",),
    ("prompt is too long",),
    ("input is too long",),
    ("input token count", "exceeds the maximum"),
    ("input tokens exceed the configured limit",),
    ("requested token count exceeds",),
    ("too many tokens",),
    ("current length is", "while limit is"),
    ("max_new_tokens", "must be <="),
)
"""Words of which all of a row occur where a request does not fit the model's context."""

POLICY_SIGNS: Final = (
    ("content_filter_policy",),
    ("content management policy",),
    ("content filtering policy",),
    ("violating our usage policy",),
)

BILLING_SIGNS: Final = (
    ("credit balance is too low",),
    ("api usage limits",),
    ("billing", "not enabled"),
    ("enable billing",),
)
PLACE_SIGNS: Final = (("location is not supported",),)

TOLD: Final[tuple[tuple[tuple[tuple[str, ...], ...], ErrorType], ...]] = (
    (CONTEXT_SIGNS, "context_length_exceeded"),
    (POLICY_SIGNS, "content_filtered"),
    (BILLING_SIGNS, "insufficient_quota"),
    (PLACE_SIGNS, "permission_denied"),
)
"""What a message says where codes and statuses say less; the first that fits counts."""

MODEL_SIGNS: Final = (("model",), ("deployment",), ("no endpoints found",))
"""Words that tell a missing model from a missing page."""

SPEAKING_STATUSES: Final = frozenset({401, 402, 404, 429})
"""Statuses that no wording changes."""

_TOKENS: Final = r"(?<![\w.-])(\d[\d,]{2,})(?![\w-])"
_LIMIT: Final = (
    r"(?:context length(?: is| of)?|context size|context limit:? [\d,]+ \+ [\d,]+|limit is|tokens(?: allowed)?|must be)"
    r"[\s(<=>:]+(\d[\d,]{2,})"
    r"|(\d[\d,]{2,}) maximum"
)

HINTS: Final[dict[ErrorType, str]] = {
    "authentication": "Check the API key, and that it belongs to this provider.",
    "model_not_found": "`models.list` shows what there is; a local server may have to download the model first.",
    "insufficient_quota": "Check the account's balance and spending limits with the provider.",
    "payload_too_large": "Send fewer or smaller files, or less text.",
}
PAGE_HINT: Final = "The answer is a web page: it may come from a proxy in between."


def classify(fault: Fault, status: int | None) -> ErrorType:
    """Return the type of an error that came with `status`, or in a stream, without one."""
    codes = [code.lower() for code in fault.codes]
    precise = _precise(fault, codes, status)
    if precise is not None:
        return precise
    if "string_above_max_length" not in codes and status not in SPEAKING_STATUSES:
        told = _told(fault.message.lower())
        if told is not None:
            return told
    if status == 403 and fault.reasons:  # noqa: PLR2004 - a moderator's verdict
        return "content_filtered"
    told = _look_up(CODES, codes) if status in VAGUE_STATUSES else None
    return told or _by_status(fault, status)


def _precise(fault: Fault, codes: list[str], status: int | None) -> ErrorType | None:
    if status == 413 and "rate_limit_exceeded" in codes:  # noqa: PLR2004 - more than the account's tokens per minute
        return "insufficient_quota"
    if fault.in_flight:
        return "rate_limited"
    return "insufficient_quota" if fault.daily else _look_up(PRECISE_CODES, codes)


def _told(message: str) -> ErrorType | None:
    return next((kind for signs, kind in TOLD if _any_sign(signs, message)), None)


def _any_sign(signs: tuple[tuple[str, ...], ...], message: str) -> bool:
    return any(all(words in message for words in row) for row in signs)


def _look_up(table: dict[str, ErrorType], codes: list[str]) -> ErrorType | None:
    return next((table[code] for code in codes if code in table), None)


def _by_status(fault: Fault, status: int | None) -> ErrorType:
    if status is None:
        return "server_error"
    if status == 404 and _any_sign(MODEL_SIGNS, fault.message.lower()):  # noqa: PLR2004 - the model or the page
        return "model_not_found"
    otherwise: ErrorType = "server_error" if status >= 500 else "request_rejected"  # noqa: PLR2004
    return STATUSES.get(status, otherwise)


def hint(kind: ErrorType, fault: Fault) -> str | None:
    """Return what may help."""
    if fault.page and kind != "request_rejected":
        return PAGE_HINT
    if kind == "context_length_exceeded":
        return _sizes(fault)
    if kind == "content_filtered" and fault.reasons:
        return f"The provider's moderation names: {', '.join(fault.reasons)[:200]}."
    return HINTS.get(kind)


def _sizes(fault: Fault) -> str:
    """Return what the request and the model's context measure, as far as the error tells."""
    found = re.search(_LIMIT, fault.message, re.IGNORECASE)
    limit = fault.limit or (found and _number(found[1] or found[2]))
    larger = (n for n in map(_number, re.findall(_TOKENS, fault.message)) if limit and n > limit)
    requested = fault.requested or next(larger, None)
    told = [f"The request has {requested} tokens."] if requested else []
    told += [f"The model takes {limit} tokens."] if limit else []
    return " ".join([*told, "Shorten the conversation, or use a model with a larger context."])


def _number(digits: str) -> int:
    return int(digits.replace(",", ""))

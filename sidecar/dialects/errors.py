"""Errors read: what went wrong, from the body first and the status second."""

import re
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from sidecar.dialects import faults, lenient
from sidecar.dialects.contract import HttpResponse
from sidecar.dialects.faults import Fault
from sidecar.dialects.response_headers import MAX_ID_CHARS, request_id, retry_after_ms, should_retry
from sidecar.schema.errors import ERRORS, ErrorType, SidecarError

MAX_MESSAGE_CHARS: Final = 500
"""How much of a provider's message is passed on."""


DAILY: Final = "PerDay"
"""Marks the quotas for which waiting a moment does not help."""

NOT_WORDS: Final = frozenset({"", "<", "{", "["})
"""How text begins that is nothing for people to read."""


class Complaint(Struct, frozen=True):
    """What is wrong with one place of a request, or a message in a nested form."""

    msg: str | None = None
    message: "str | list[Complaint | str] | Complaint | None" = None
    detail: "str | list[Complaint | str] | Complaint | None" = None
    loc: list[str | int] | None = None


Message = str | list[Complaint | str] | Complaint | None


class InnerError(Struct, frozen=True):
    """A more precise code."""

    code: str | None = None


class Metadata(Struct, frozen=True):
    """What a router says of the error. `raw` is the upstream server's body, `reasons` why a moderator objected."""

    error_type: str | None = None
    raw: Any = None
    reasons: list[str] | None = None
    limit_source: str | None = None


class Violation(Struct, frozen=True):
    """A quota that is used up."""

    quotaId: str | None = None  # noqa: N815 - the wire's name


class FieldViolation(Struct, frozen=True):
    """A parameter that is at fault."""

    field: str | None = None


class Particulars(Struct, frozen=True):
    """What an error says beside its message: a more precise code, the quotas it is about, when to come back."""

    error_code: str | None = None
    reason: str | None = None
    violations: list[Violation] | None = None
    retryDelay: str | None = None  # noqa: N815 - the wire's name
    fieldViolations: list[FieldViolation] | None = None  # noqa: N815 - the wire's name


class Detail(Struct, frozen=True):
    """The members of an error, wherever they sit."""

    message: Message = None
    msg: str | None = None
    type: str | None = None
    code: str | int | None = None
    status: str | int | None = None
    param: str | None = None
    innererror: InnerError | None = None
    metadata: Metadata | None = None
    details: list[Particulars] | Particulars | None = None
    n_prompt_tokens: int | None = None
    n_ctx: int | None = None


class ErrorBody(Detail, frozen=True):
    """A body that may hold an error."""

    error: Detail | str | None = None
    detail: Message = None
    object: str | None = None
    request_id: str | None = None
    statusCode: int | None = None  # noqa: N815 - the wire's name


class Extended(Struct, frozen=True):
    """A body whose error sits in an extension."""

    x_groq: ErrorBody | None = None


def error_in(data: bytes) -> SidecarError | None:
    """Return the error in a body or event that came with a good status, if there is one."""
    fault = _fault(data)
    if fault is None:
        return None
    kind = faults.classify(fault, fault.status)
    return SidecarError(kind, _message(kind, fault, None), **_details(kind, fault, fault.status))


def decode_error(response: HttpResponse) -> SidecarError:
    """Return what a response with a bad status means."""
    body = _body(response.body)
    fault = _plain(response) if body is None else _named_fault(body) or _read_detail(body)
    kind = faults.classify(fault, response.status)
    details = _details(kind, fault, response.status) | _header_details(response.headers)
    if body is not None and body.request_id:
        details.setdefault("provider_request_id", body.request_id[:MAX_ID_CHARS])
    return SidecarError(kind, _message(kind, fault, response.status), **details)


def _fault(data: bytes) -> Fault | None:
    body = _body(data)
    return None if body is None else _named_fault(body)


def _body(data: bytes) -> ErrorBody | None:
    text = data.strip()
    if text.startswith(b"["):
        text = text[1:-1].strip()
    if not text.startswith(b"{"):
        return None
    try:
        body = lenient.read(text, ErrorBody)
        extension = lenient.read(text, Extended).x_groq
    except SidecarError:
        return None
    return body if extension is None or body.error or not extension.error else extension


def _named_fault(body: ErrorBody) -> Fault | None:
    """Return what a body calls an error, not what might be a message of another kind."""
    if isinstance(body.error, Detail):
        return _read_detail(body.error)
    if body.error:
        return Fault(message=body.error, codes=_codes(body), status=_status(body))
    named = body.code is not None or body.type is not None or body.statusCode is not None or body.object == "error"
    if body.detail is not None or (named and body.message is not None):
        fault = _read_detail(body)
        status = fault.status or body.statusCode
        return replace(fault, message=fault.message or _words(body.detail), status=status)
    return None


def _read_detail(detail: Detail) -> Fault:
    metadata = detail.metadata or Metadata()
    message = _words(detail.message) or detail.msg or ""
    upstream = _upstream(metadata.raw)
    particulars = _particulars(detail)
    return Fault(
        message=(upstream.message if upstream is not None else "") or message,
        codes=_codes(detail) + (upstream.codes if upstream is not None else ()),
        status=_status(detail),
        param=detail.param
        or next((v.field for one in particulars for v in one.fieldViolations or () if v.field), None),
        reasons=tuple(metadata.reasons or ()),
        in_flight=(metadata.limit_source or "").endswith("in_flight_budget"),
        daily=any(DAILY in (v.quotaId or "") for one in particulars for v in one.violations or ()),
        retry_after_ms=next((_milliseconds(one.retryDelay) for one in particulars if one.retryDelay), None),
        requested=detail.n_prompt_tokens,
        limit=detail.n_ctx,
    )


def _upstream(raw: Any) -> Fault | None:
    """Return the error of the server behind a router."""
    if not isinstance(raw, str):
        return None
    return _fault(raw.encode(errors="replace")) or Fault(message="" if raw.lstrip()[:1] in NOT_WORDS else raw)


def _codes(detail: Detail) -> tuple[str, ...]:
    metadata, inner = detail.metadata or Metadata(), detail.innererror or InnerError()
    code = None if detail.code is None else str(detail.code)
    precise = [name for one in _particulars(detail) for name in (one.error_code, one.reason)]
    status = detail.status if isinstance(detail.status, str) else None
    found = (code, inner.code, metadata.error_type, *precise, status, detail.type)
    return tuple(name for name in found if name and not name.isdigit())


def _particulars(detail: Detail) -> list[Particulars]:
    found = detail.details
    return [found] if isinstance(found, Particulars) else found or []


def _milliseconds(duration: str | None) -> int | None:
    """Return a duration such as `36s` or `0.5s`."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,9})?)s", duration or "")
    return round(float(found[1]) * 1000) if found else None


def _status(detail: Detail) -> int | None:
    for value in (detail.code, detail.status):
        if value is not None and str(value).isascii() and str(value).isdigit() and 400 <= int(value) < 600:  # noqa: PLR2004
            return int(value)
    return None


def _words(message: Message) -> str:
    """Return the sentences in a message of any form, such as a list of validation errors, but not what they quote."""
    if isinstance(message, str):
        return message
    if isinstance(message, list):
        return "; ".join(words for complaint in message if (words := _words(complaint)))
    if message is None:
        return ""
    words = message.msg or _words(message.message) or _words(message.detail)
    place = ".".join(str(step) for step in message.loc or ())
    return f"{place}: {words}" if place and words else words


def _plain(response: HttpResponse) -> Fault:
    """Return a body that is no JSON object as a message, if it is words."""
    text = response.body.decode(errors="replace").strip()
    page = "html" in response.headers.get("content-type", "") or _is_page(text)
    return Fault(message="" if page or text[:1] in NOT_WORDS else text, page=page)


def _is_page(text: str) -> bool:
    return text.lstrip("\ufeff \r\n\t").startswith("<")


def _message(kind: ErrorType, fault: Fault, status: int | None) -> str:
    message = " ".join(fault.message[: 2 * MAX_MESSAGE_CHARS].split())
    if not message or "Traceback (most recent call last)" in message:
        return f"{ERRORS[kind].meaning} (HTTP {status})" if status else ERRORS[kind].meaning
    return message if len(message) <= MAX_MESSAGE_CHARS else message[: MAX_MESSAGE_CHARS - 1] + "…"


def _details(kind: ErrorType, fault: Fault, status: int | None) -> dict[str, Any]:
    details = {
        "http_status": status,
        "provider_code": fault.codes[0] if fault.codes else None,
        "param": fault.param,
        "retry_after_ms": fault.retry_after_ms,
        "hint": faults.hint(kind, fault),
    }
    return {name: value for name, value in details.items() if value is not None}


def _header_details(headers: dict[str, str]) -> dict[str, Any]:
    details = {
        "provider_request_id": request_id(headers),
        "retry_after_ms": retry_after_ms(headers),
        "retryable": should_retry(headers),
    }
    return {name: value for name, value in details.items() if value is not None}

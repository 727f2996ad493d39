"""Arguments of past tool calls, for formats that take nothing but JSON objects."""

from typing import Final

import msgspec
from msgspec import Raw

from sidecar.dialects.lenient import UNREADABLE
from sidecar.dialects.report import Report

EMPTY: Final = Raw(b"{}")
FALLBACK: Final = "arguments"
"""The name under which text goes out that is no JSON object."""


def is_object(text: str) -> bool:
    """Tell whether `text` is a JSON object."""
    try:
        msgspec.json.decode(text, type=dict[str, Raw])
    except UNREADABLE:
        return False
    return True


def as_object(arguments: str, report: Report) -> Raw:
    """Return what a model wrote as a JSON object; what is none is wrapped in one, and reported."""
    text = arguments.strip()
    if not text:
        return EMPTY
    if is_object(text):
        return Raw(text.encode())
    report.history("Arguments of a tool call that are no JSON object were sent as the text of one.")
    return Raw(msgspec.json.encode({FALLBACK: text}))

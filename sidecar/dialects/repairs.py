"""What a refused request should do without."""

import re
from collections.abc import Mapping
from typing import Final

from sidecar.schema.errors import ErrorType, SidecarError

REFUSALS: Final[frozenset[ErrorType]] = frozenset({"unsupported_parameter", "request_rejected"})

_UNKNOWN: Final = (
    r"not (?:currently )?support|unsupported|not allowed|not permitted|does ?n.t support|deprecated|unknown|"
    r"unrecognized|extra inputs|not available|cannot (?:both )?be (?:set|used|specified)|may only be set|"
    r"not accepted|not applicable"
)
"""Words that refuse a parameter, and not just its value."""


def lack(error: SidecarError, names: Mapping[str, str]) -> str | None:
    """Return the field of a request that the provider does not take, by what it calls it in `names`."""
    if error.type not in REFUSALS or not re.search(_UNKNOWN, error.message, re.IGNORECASE):
        return None
    param, message = str(error.details.get("param") or ""), error.message.replace("body.", "")
    told = (name for name in names if param == name or param.startswith((f"{name}.", f"{name}[")))
    quoted = re.findall(r"[`'\"]([\w.\[\]-]+)[`'\"]|^([\w.]+):", message)
    places = (word for pair in quoted for word in pair)
    words = (word for place in places for word in (place, place.rpartition(".")[2]) if word in names)
    bare = (name for name in names if re.search(rf"(?<![\w.]){re.escape(name)}(?![\w])", message))
    found = next(told, None) or next(words, None) or next(bare, None)
    return names[found] if found else None

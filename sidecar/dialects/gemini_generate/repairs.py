"""What a refused request should do without."""

import re
from typing import Final

from sidecar.dialects.repairs import REFUSALS
from sidecar.schema.errors import SidecarError

_REFUSES: Final = (
    r"not (?:currently )?(?:support|enabled|allowed|permitted|available|configurable|applicable)|unsupported|deprecated"
    r"|unknown name|cannot be (?:set|used|specified)|can'?t be (?:set|used|disabled)|only enabled|only set"
    r"|does ?n.t support|out of range|too many states|is invalid"
)
"""Words that refuse a parameter."""

SIGNATURE: Final = r"thought_?\s?signature"
"""Words that refuse data of the provider's own, whatever is wrong with it."""

NAMES: Final = (
    (r"thinking|include_?thoughts", "reasoning"),
    (r"frequency_?penalty", "frequency_penalty"),
    (r"presence_?penalty", "presence_penalty"),
    (r"response_?(?:json_?)?schema|response[_ ]?mime[_ ]?type|json mode|too many states", "response_format"),
    (r"tool_?config|function_?calling_?config|allowed_?function_?names", "tool_choice"),
    (r"temperature", "temperature"),
    (r"top_?p\b", "top_p"),
    (r"top_?k\b", "top_k"),
    (r"stop_?sequences", "stop"),
    (r"\bseed\b", "seed"),
    (r"max_?output_?tokens", "max_tokens"),
)
"""How an error names a parameter, and the field of a request that it was made of; the first that fits counts."""


def repair(error: SidecarError) -> str | None:
    """Return the field of a request that the server does not take, or `opaque`, if the error names one."""
    told = f"{error.message} {error.details.get('param') or ''}".lower()
    if error.type not in REFUSALS:
        return None
    if re.search(SIGNATURE, told):
        return "opaque"
    if not re.search(_REFUSES, told):
        return None
    # Of both penalties the error says but that there is none.
    told = re.sub(r"^penalty", "frequency_penalty presence_penalty", told)
    return next((field for name, field in NAMES if re.search(name, told)), None)

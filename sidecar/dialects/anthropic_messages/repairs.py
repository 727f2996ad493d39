"""What a refused request should do without."""

import re
from typing import Final

from sidecar.dialects.repairs import REFUSALS, lack
from sidecar.schema.errors import SidecarError

PARAMS: Final = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop_sequences": "stop",
    "thinking": "reasoning",
    "output_config.effort": "reasoning",
    "effort": "reasoning",
    "output_config.format": "response_format",
    "output_config": "response_format",
    "tool_choice.disable_parallel_tool_use": "parallel_tool_calls",
    "disable_parallel_tool_use": "parallel_tool_calls",
    "tool_choice": "tool_choice",
    "cache_control": "cache",
}
"""Which field of a request becomes which parameter."""

SIGNS: Final = (
    (r"signature.{0,40}\bthinking\b", "opaque"),
    (r"bound to a different conversation", "opaque"),
    (r"thinking\b.{0,60}cannot be modified", "opaque"),
    (r"expected `?thinking`?.{0,60}found", "reasoning"),
    (r"cannot both be specified", "top_p"),
)
"""What helps where something else than a parameter is wrong."""


def repair(error: SidecarError) -> str | None:
    """Return the field that the model does not take, or `opaque` where it does not take its own thoughts back."""
    if error.type not in REFUSALS:
        return None
    told = (field for sign, field in SIGNS if re.search(sign, error.message, re.IGNORECASE))
    return next(told, None) or lack(error, PARAMS)

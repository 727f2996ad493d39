"""What a refused request should do without."""

from typing import Final

from sidecar.dialects.repairs import lack
from sidecar.schema.errors import SidecarError

PARAMS: Final = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_output_tokens": "max_tokens",
    "reasoning.summary": "reasoning.summary",
    "reasoning": "reasoning",
    "parallel_tool_calls": "parallel_tool_calls",
    "tool_choice": "tool_choice",
    "text.format": "response_format",
    "prompt_cache_breakpoint": "cache",
    "reasoning.encrypted_content": "opaque",
}
"""Which field of a request becomes which parameter. `reasoning.summary` is asked for beside an effort."""

WORDS: Final = {"text": "response_format", "include": "opaque"}
"""Parameters whose names are common words: they count only where an error names them as its parameter."""

STALE: Final = "invalid_encrypted_content"
STALE_SIGNS: Final = (
    "without its required following item",
    "without its required 'reasoning' item",
    "encrypted content could not be",
    "encrypted content is not supported",
)
"""What is said of data that does not belong where it was sent."""

UNVERIFIED: Final = "generate reasoning summaries"
"""What is said to those who may not see summaries."""


def repair(error: SidecarError) -> str | None:
    """Return the field of `request` that the server does not take, `opaque`, or `reasoning.summary`."""
    message = error.message.lower()
    if error.details.get("provider_code") == STALE or any(sign in message for sign in STALE_SIGNS):
        return "opaque"
    if UNVERIFIED in message:
        return "reasoning.summary"
    param = str(error.details.get("param") or "")
    told = {param: WORDS[param]} if param in WORDS else {}
    return lack(error, told | PARAMS)

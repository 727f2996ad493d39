"""Tokens counted before anything is asked. https://platform.openai.com/docs/api-reference/responses/input-tokens"""

from typing import Any, Final

import msgspec

from sidecar.dialects import lenient
from sidecar.dialects.contract import Aim, HttpRequest
from sidecar.dialects.counts import whole
from sidecar.dialects.openai_responses.encode import encode_request
from sidecar.dialects.openai_responses.wire import Count
from sidecar.schema.chat import ChatRequest
from sidecar.schema.errors import SidecarError

PATH: Final = "/responses/input_tokens"

COUNTED: Final = (
    "model",
    "instructions",
    "input",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "text",
    "reasoning",
    "truncation",
)
"""What of a request bears on the count, or may at least be sent."""


def encode_count(request: ChatRequest, aim: Aim) -> HttpRequest | None:
    """Return the request that counts the tokens of a question, where the server does that."""
    if not aim.quirks.counts_input:
        return None
    asked = encode_request(request, aim)
    body = msgspec.json.decode(asked.body, type=dict[str, msgspec.Raw])
    counted: dict[str, Any] = {name: body[name] for name in COUNTED if name in body}
    return HttpRequest(PATH, msgspec.json.encode(counted), asked.warnings)


def decode_count(body: bytes) -> int:
    """Return the number of tokens."""
    count = whole(lenient.read(body, Count).input_tokens)
    if count is None:
        raise SidecarError("malformed_response", "The provider's answer holds no count of tokens.")
    return count

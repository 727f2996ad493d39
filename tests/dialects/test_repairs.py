"""What a refused request should do without."""

import pytest

from sidecar.dialects.repairs import lack
from sidecar.schema.errors import SidecarError

NAMES = {
    "temperature": "temperature",
    "topK": "top_k",
    "stop": "stop",
    "thinking": "reasoning",
    "reasoning_effort": "reasoning",
    "reasoning": "reasoning",
    "random_seed": "seed",
    "tool_choice": "tool_choice",
}


@pytest.mark.parametrize(
    ("message", "param", "field"),
    [
        ("Unsupported parameter: 'temperature' is not supported with this model.", "temperature", "temperature"),
        ("Unsupported value: 'temperature' does not support 0.5 with this model.", "temperature", "temperature"),
        ("Unsupported value: 'reasoning.effort' does not support 'minimal'.", "reasoning.effort", "reasoning"),
        ("`temperature` is deprecated for this model.", None, "temperature"),
        ("temperature: Extra inputs are not permitted", None, "temperature"),
        ("thinking.adaptive.budget_tokens: Extra inputs are not permitted", None, "reasoning"),
        ("body.random_seed: Extra inputs are not permitted", None, "seed"),
        ("tool_choice: `any` is not supported on this model", None, "tool_choice"),
        ("Unknown name \"topK\" at 'generation_config': Cannot find field.", None, "top_k"),
        ("Unrecognized request argument supplied: reasoning_effort", None, "reasoning"),
        ("`temperature` and `top_p` cannot both be specified for this model.", None, "temperature"),
        ("`temperature` may only be set to 1 when thinking is enabled.", None, "temperature"),
        ("messages: text content blocks must be non-empty", None, None),
        ("stopwatch is not supported", None, None),
        ("temperature must be at most 2", "temperature", None),
    ],
)
def test_a_refusal_names_what_to_do_without(message: str, param: str | None, field: str | None) -> None:
    details = {"param": param} if param else {}
    assert lack(SidecarError("request_rejected", message, **details), NAMES) == field


def test_only_a_refusal_names_what_to_do_without() -> None:
    message = "temperature is not supported"
    assert lack(SidecarError("unsupported_parameter", message), NAMES) == "temperature"
    assert lack(SidecarError("rate_limited", message), NAMES) is None

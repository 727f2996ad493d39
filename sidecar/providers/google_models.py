"""What Google's models take, by family. https://ai.google.dev/gemini-api/docs/models"""

import re
from typing import Final

from msgspec.structs import replace

from sidecar.dialects.traits import UNKNOWN, ModelTraits
from sidecar.schema.chat import Effort

THREE_LEVELS: Final[tuple[Effort, ...]] = ("low", "medium", "high")
FOUR_LEVELS: Final[tuple[Effort, ...]] = ("minimal", *THREE_LEVELS)
MAX_OUTPUT: Final = 65_536

SIGNED: Final = ModelTraits(
    efforts=THREE_LEVELS, default_effort="medium", signed_calls=True, files_in_results=True, penalties=False
)
"""From the third generation on, calls are signed, and JSON can be asked for beside tools."""

THIRD: Final = replace(SIGNED, max_output_tokens=MAX_OUTPUT)

BUDGETED: Final = ModelTraits(
    efforts=("none", *FOUR_LEVELS),
    default_effort="medium",
    budgets=(1, 24_576),
    structured_with_tools=False,
    penalties=False,
    max_output_tokens=MAX_OUTPUT,
)
"""The second generation is given a budget to think."""

NO_JSON: Final = ModelTraits(structured="prompt", json_object=False, structured_with_tools=False, penalties=False)

FAMILIES: Final[tuple[tuple[str, ModelTraits], ...]] = (
    (r"gemini-2\.5-.*image", replace(NO_JSON, efforts=(), max_output_tokens=32_768)),
    (r"gemini-2\.5-pro", replace(BUDGETED, efforts=FOUR_LEVELS, budgets=(128, 32_768))),
    (r"gemini-2\.5-flash-lite", replace(BUDGETED, default_effort="none", budgets=(512, 24_576))),
    (r"gemini-2\.5", BUDGETED),
    (r"gemini-3.*image", replace(THIRD, efforts=(), default_effort=None, max_output_tokens=None)),
    (r"gemini-3-pro", replace(THIRD, efforts=("low", "high"), default_effort="high")),
    (r"gemini-3(\.\d+)?-pro", replace(THIRD, default_effort="high")),
    (r"gemini-3(\.[0-6])?-flash", replace(THIRD, efforts=FOUR_LEVELS)),
    (r"gemini-3", THIRD),
    (r"gemini-flash-lite-latest", replace(THIRD, efforts=FOUR_LEVELS)),
    (r"gemini-flash-latest", THIRD),
    (r"gemini-4-hydrogen", replace(SIGNED, efforts=(*THREE_LEVELS, "xhigh"))),
    (r"gemini-(?:[4-9]|\d\d)|gemini-pro-latest", SIGNED),
    (r"gemma-3", replace(NO_JSON, thinks=False, efforts=())),
)
"""Families by the beginnings of their names; the first that fits counts."""


def traits_of(model: str) -> ModelTraits:
    """Return what a model takes, with or without `models/` before its name."""
    name = model.lower().removeprefix("models/")
    return next((traits for pattern, traits in FAMILIES if re.match(pattern, name)), UNKNOWN)

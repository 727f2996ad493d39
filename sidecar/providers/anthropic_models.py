"""What Claude models take. https://platform.claude.com/docs/en/about-claude/models/overview"""

from typing import Final

from msgspec.structs import replace

from sidecar.dialects.traits import UNKNOWN, FileKind, ModelTraits
from sidecar.schema.chat import Effort

FILES: Final[frozenset[FileKind]] = frozenset({"image", "document", "text"})
LEVELS: Final[tuple[Effort, ...]] = ("low", "medium", "high", "xhigh", "max")

ALWAYS: Final = ModelTraits(
    sampling="never", efforts=LEVELS, json_object=False, files=FILES, max_output_tokens=128_000, cache_marks=True
)
"""A model that cannot be kept from thinking."""

ANSWER: Final = 8_000
"""What a reasoning budget must leave of the greatest length, for the answer."""

UNFORCED: Final = replace(ALWAYS, forced_tools=False)
SWITCHED: Final = replace(ALWAYS, efforts=("none", *LEVELS))
BUDGETED: Final = replace(SWITCHED, budgets=(1024, 128_000 - ANSWER))
FREE: Final = replace(BUDGETED, sampling="one_of_two", efforts=("none", "low", "medium", "high", "max"))
EARLIER: Final = replace(
    FREE, efforts=(), budgets=(1024, 64_000 - ANSWER), adaptive=False, max_output_tokens=64_000, prefill=True
)

MODELS: Final[tuple[tuple[str, ModelTraits], ...]] = (
    ("claude-sonnet-5-5", replace(UNFORCED, efforts=("minimal", *LEVELS))),
    ("claude-opus-5-5", UNFORCED),
    ("claude-haiku-5-5", SWITCHED),
    ("claude-opus-5", BUDGETED),
    ("claude-fable-5-1", UNFORCED),
    ("claude-fable-5-2", UNFORCED),
    ("claude-fable-5", ALWAYS),
    ("claude-opus-4-7", BUDGETED),
    ("claude-opus-4-8", BUDGETED),
    ("claude-sonnet-5", BUDGETED),
    ("claude-opus-4-6", FREE),
    ("claude-sonnet-4-6", FREE),
    ("-4-5", EARLIER),
    ("claude-opus-4-1", replace(EARLIER, budgets=(1024, 32_000 - ANSWER), max_output_tokens=32_000)),
    ("claude-", BUDGETED),
)
"""What an id contains, and what such a model takes; the first that fits counts."""


def traits_of(model: str) -> ModelTraits:
    """Return what a model takes; of those of other makers nothing is known."""
    id_ = model.lower().replace(".", "-")
    return next((traits for name, traits in MODELS if name in id_), UNKNOWN)

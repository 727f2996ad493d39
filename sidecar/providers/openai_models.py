"""What OpenAI's models take. https://platform.openai.com/docs/models"""

import re
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sidecar.dialects.traits import UNKNOWN, FileKind, ModelTraits
from sidecar.schema.chat import Effort


class Family(Struct, frozen=True, kw_only=True):
    """Models whose names match `names`. `tools_on_chat` tells whether Chat Completions lets them reason with tools."""

    names: str
    traits: ModelTraits
    tools_on_chat: bool = True


SIGHT: Final[frozenset[FileKind]] = frozenset({"image", "document"})
BLIND: Final[frozenset[FileKind]] = frozenset()

LOW: Final[tuple[Effort, ...]] = ("low", "medium", "high")
XHIGH: Final[tuple[Effort, ...]] = (*LOW, "xhigh")
MAX: Final[tuple[Effort, ...]] = (*XHIGH, "max")

PLAIN: Final = ModelTraits(thinks=False, efforts=(), files=SIGHT)
"""A model that does not reason."""

THINKING: Final = ModelTraits(
    sampling="unless_reasoning", efforts=LOW, default_effort="medium", files=SIGHT, max_output_tokens=128_000
)
OLD: Final = replace(PLAIN, structured="tool", files=BLIND, max_output_tokens=4_096)
SERIES_O: Final = replace(THINKING, max_output_tokens=100_000)
NEWEST: Final = replace(THINKING, cache_marks=True)

FAMILIES: Final = (
    Family(names=r"gpt-5(?:\.\d)?-chat", traits=replace(PLAIN, max_output_tokens=16_384)),
    Family(names=r"gpt-5-pro", traits=replace(THINKING, efforts=("high",), max_output_tokens=272_000)),
    Family(names=r"gpt-5\.\d-pro", traits=replace(THINKING, efforts=("medium", "high", "xhigh"))),
    Family(names=r"gpt-5\.1-codex-max|gpt-5\.[2-9]-codex", traits=replace(THINKING, efforts=XHIGH)),
    Family(names=r"gpt-5(?:\.1)?-codex", traits=THINKING),
    Family(names=r"gpt-5-search-api|gpt-4o(?:-mini)?-search", traits=replace(PLAIN, sampling="never", files=None)),
    Family(names=r"gpt-audio|gpt-4o(?:-mini)?-audio", traits=replace(PLAIN, files=frozenset({"audio"}))),
    Family(names=r"gpt-5", traits=replace(THINKING, efforts=("minimal", *LOW))),
    Family(names=r"gpt-5\.1", traits=replace(THINKING, efforts=("none", *LOW), default_effort="none")),
    Family(names=r"gpt-5\.[23]", traits=replace(THINKING, efforts=("none", *XHIGH), default_effort="none")),
    Family(
        names=r"gpt-5\.[45]",
        traits=replace(THINKING, efforts=("none", *XHIGH), default_effort="none"),
        tools_on_chat=False,
    ),
    Family(names=r"gpt-5\.6", traits=replace(NEWEST, efforts=("none", *MAX)), tools_on_chat=False),
    Family(
        names=r"gpt-6-sol|gpt-6-luna|gpt-6\.1-terra",
        traits=replace(NEWEST, efforts=("none", *MAX), max_output_tokens=None),
        tools_on_chat=False,
    ),
    Family(
        names=r"gpt-6-astra|gpt-6\.1-sol|gpt-6\.2-astra|gpt-6\.2-sol",
        traits=replace(NEWEST, efforts=MAX, max_output_tokens=None),
        tools_on_chat=False,
    ),
    Family(names=r"o[34](?:-mini)?-deep-research", traits=replace(SERIES_O, efforts=("medium",))),
    Family(names=r"o3-mini", traits=replace(SERIES_O, files=BLIND)),
    Family(names=r"o1|o1-pro|o3|o3-pro|o4-mini", traits=SERIES_O),
    Family(names=r"gpt-4\.1", traits=replace(PLAIN, max_output_tokens=32_768)),
    Family(names=r"gpt-4o-2024-05-13", traits=replace(OLD, files=SIGHT)),
    Family(names=r"gpt-4o|chatgpt-4o", traits=replace(PLAIN, max_output_tokens=16_384)),
    Family(names=r"gpt-4-turbo", traits=replace(OLD, files=SIGHT)),
    Family(names=r"gpt-4", traits=replace(OLD, json_object=False, max_output_tokens=8_192)),
    Family(names=r"gpt-3\.?5", traits=OLD),
)
"""The first that matches counts; what follows a family's name are sizes, dates and the like."""

RESPONSES_ONLY: Final = frozenset({"max"})
"""Efforts that Chat Completions does not know."""


def on_responses(model: str) -> ModelTraits:
    """Return what `model` takes by Responses."""
    family = _family(model)
    return UNKNOWN if family is None else family.traits


def on_chat(model: str) -> ModelTraits:
    """Return what `model` takes by Chat Completions."""
    family = _family(model)
    if family is None:
        return UNKNOWN
    efforts = tuple(effort for effort in family.traits.efforts or () if effort not in RESPONSES_ONLY)
    return replace(family.traits, efforts=efforts, reasons_with_tools=family.tools_on_chat)


@lru_cache(maxsize=256)
def _family(model: str) -> Family | None:
    """Return the family of a model, of a fine-tuned one, or of a deployment that is named after one."""
    name = model.lower()
    return next(
        (family for family in FAMILIES if re.search(rf"(?:^|[/:_-])(?:{family.names})(?:$|[-:@_])", name)), None
    )

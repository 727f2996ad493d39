"""What one model takes, as data. What is `None` is unknown; then the request goes out as it was asked."""

from typing import Final, Literal, cast, get_args

from msgspec import Struct

from sidecar.schema.chat import Effort, StructuredOutput

EFFORTS: Final[tuple[Effort, ...]] = cast("tuple[Effort, ...]", get_args(Effort))
"""All efforts, in ascending order."""

Sampling = Literal["free", "one_of_two", "unless_reasoning", "never"]
FileKind = Literal["image", "document", "audio", "video", "text"]


class ModelTraits(Struct, frozen=True, kw_only=True):
    """One model's limits; the defaults suit an unknown model."""

    sampling: Sampling = "free"
    """Whether `temperature`, `top_p`, `top_k` and the penalties may be set; `one_of_two`: `temperature` or `top_p`."""
    efforts: tuple[Effort, ...] | None = None
    """The reasoning efforts to choose from, ascending; empty where there is nothing to choose."""
    default_effort: Effort | None = None
    """What the model does when no effort is asked for, where that matters to `sampling`."""
    budgets: tuple[int, int] | None = None
    """The least and the greatest reasoning budget in tokens, where one can be given."""
    thinks: bool = True
    """Whether the model may think for long before it says anything."""
    adaptive: bool = True
    """Whether the model decides by itself how much of its effort a question is worth."""
    forced_tools: bool = True
    """Whether a tool can be made a must."""
    structured: StructuredOutput = "native"
    """The best way to an answer that matches a schema."""
    json_object: bool = True
    """Whether any JSON object can be asked for without a schema."""
    structured_with_tools: bool = True
    thinks_aloud: bool = False
    """Whether the model writes its thoughts between `<think>` and `</think>` in front of its words."""
    files: frozenset[FileKind] | None = None
    """The kinds of files that the model reads."""
    max_output_tokens: int | None = None
    prefill: bool = False
    """Whether the conversation may end with words of the model, which it then continues."""
    cache_marks: bool = False
    """Whether parts of the prompt may be marked as the ends of what is to be kept."""
    reasons_with_tools: bool = True
    """Whether the model may think where it is offered functions."""
    penalties: bool = True
    """Whether the penalties may be set, where other sampling may."""
    signed_calls: bool = False
    """Whether tool calls of a conversation must carry the provider's signature."""
    files_in_results: bool = False
    """Whether results of tools may hold files, where that depends on the model."""


UNKNOWN: Final = ModelTraits()

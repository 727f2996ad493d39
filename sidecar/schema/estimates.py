"""What a question would take: tokens, room and money."""

from msgspec import Struct

from sidecar.schema.chat import Warning
from sidecar.schema.usage import Cost, Source


class CostEstimate(Struct, frozen=True):
    """What the question costs, and what question and answer cost at most; null where the answer has no known end."""

    input: Cost
    maximum: Cost | None


class ChatEstimate(Struct, frozen=True, kw_only=True):
    """What a question would take if it were asked. Null is unknown.

    `max_output_tokens` is the longest answer: the request's limit or the model's, whichever is lower. `fits` tells
    whether the question, and the answer if the request limits it, have room in the context.
    """

    provider: str
    model: str
    input_tokens: int
    source: Source
    max_output_tokens: int | None
    context_length: int | None
    fits: bool | None
    cost: CostEstimate
    warnings: list[Warning]

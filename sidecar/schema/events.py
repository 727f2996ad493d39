"""What the sidecar sends unasked: stream chunks and stream status."""

from typing import Literal

from msgspec import Struct, field

from sidecar.schema.chat import FinishReason, Part, Warning
from sidecar.schema.usage import Usage


class TextDelta(Struct, frozen=True, tag="text"):
    """More text of the part at `index`."""

    index: int
    text: str


class ReasoningDelta(Struct, frozen=True, tag="reasoning"):
    """More reasoning of the part at `index`."""

    index: int
    text: str


class RefusalDelta(Struct, frozen=True, tag="refusal"):
    """More of the refusal at `index`."""

    index: int
    text: str


class ToolCallDelta(Struct, frozen=True, tag="tool_call", omit_defaults=True):
    """A tool call at `index`: first its `id` and `name`, whole, then fragments of its `arguments`."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class PartDelta(Struct, frozen=True, tag="part"):
    """A whole part, which replaces the deltas of its index: a non-text part, or one with opaque data."""

    index: int
    part: Part


class UsageDelta(Usage, tag="usage"):
    """The token counts so far; the latest counts."""


Delta = TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta | PartDelta | UsageDelta

State = Literal[
    "connecting",
    "waiting_first_token",
    "thinking",
    "loading_model",
    "queued",
    "rate_limited",
    "retrying",
    "falling_back",
    "stalled",
]


class ModelName(Struct, frozen=True):
    """A model of a provider."""

    provider: str
    model: str


class Status(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a stream is waiting for. `progress` is 0 to 1.

    `ms` is how long there was no sign of life, or how long it takes until the attempt with the number `attempt`.
    `wait_ms` is about how long a rate limit holds the request back. `from` was asked in vain, `to` is asked instead.
    """

    state: State
    progress: float | None = None
    ms: int | None = None
    attempt: int | None = None
    wait_ms: int | None = None
    from_: ModelName | None = field(default=None, name="from")
    to: ModelName | None = None


StreamEvent = Delta | FinishReason | Warning | Status


class StreamChunk(Struct):
    """`stream.chunk`: `seq` counts 0, 1, 2 … without gaps."""

    stream_id: str
    seq: int
    delta: Delta


class StreamStatus(Status, frozen=True, kw_only=True, omit_defaults=True):
    """`stream.status`: the latest state of a stream; not counted by `seq`."""

    stream_id: str

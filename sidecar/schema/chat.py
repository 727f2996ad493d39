"""Conversations: messages and their parts, tools, requests and completions."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from sidecar.schema.citations import Citation
from sidecar.schema.policies import CacheOptions, Fallbacks, Privacy, RetryOptions, Tags, Timeouts
from sidecar.schema.usage import Attempt, Cost, Timing, Usage

Role = Literal["system", "developer", "user", "assistant", "tool"]
Reason = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "pause", "cancelled", "error", "other"]


class Origin(Struct, frozen=True):
    """Who wrote something: opaque data goes back only where all three match."""

    provider: str
    endpoint: str
    model: str


class Opaque(Struct, frozen=True):
    """Provider data to be sent back unchanged, such as a signature. `data` is the provider's JSON, verbatim."""

    data: str
    origin: Origin


class CacheHint(Struct, frozen=True, omit_defaults=True):
    """Ask the provider to keep the prompt up to and including this part or tool."""

    ttl: Literal["5m", "1h"] = "5m"


class Text(Struct, frozen=True, tag="text", omit_defaults=True):
    """Words."""

    text: str
    citations: list[Citation] = []
    cache: CacheHint | None = None
    opaque: Opaque | None = None


Base64 = Annotated[Raw, Meta(extra_json_schema={"type": "string", "contentEncoding": "base64"})]
"""A JSON string that holds base64, quotes included: it is passed on as it came, however large."""


class Base64Source(Struct, frozen=True, tag="base64"):
    """The file itself, base64-encoded."""

    data: Base64

    def __post_init__(self) -> None:
        if bytes(memoryview(self.data)[:1]) != b'"':
            raise ValueError("Expected `str`")


class UrlSource(Struct, frozen=True, tag="url"):
    """An address from which the provider (never the sidecar) fetches the file."""

    url: str


class PathSource(Struct, frozen=True, tag="path"):
    """A file on this machine, inside a folder named by `--allow-path`."""

    path: str


FileSource = Base64Source | UrlSource | PathSource


class File(Struct, frozen=True, tag="file", omit_defaults=True):
    """An image, a document or a recording. `media_type` is a MIME type such as `image/png` or `application/pdf`."""

    media_type: str
    source: FileSource
    filename: str | None = None
    detail: Literal["auto", "low", "high"] | None = None
    cache: CacheHint | None = None
    opaque: Opaque | None = None


class Reasoning(Struct, frozen=True, tag="reasoning", omit_defaults=True):
    """What the model thought: in full, as the provider's summary, or withheld."""

    text: str = ""
    form: Literal["full", "summary", "redacted"] = "full"
    opaque: Opaque | None = None


class ToolCall(Struct, frozen=True, tag="tool_call", omit_defaults=True):
    """A tool the model wants called. `arguments` is what the model wrote: JSON as a rule, but not always valid."""

    id: str
    name: str
    arguments: str
    opaque: Opaque | None = None


class ToolResult(Struct, frozen=True, tag="tool_result", omit_defaults=True):
    """What a tool answered, in a message of role `tool`."""

    tool_call_id: str
    content: str | list[Text | File]
    is_error: bool = False
    cache: CacheHint | None = None


class Refusal(Struct, frozen=True, tag="refusal", omit_defaults=True):
    """The model's own words for declining."""

    text: str
    opaque: Opaque | None = None


class Custom(Struct, frozen=True, tag="custom", omit_defaults=True):
    """A part that only its provider understands."""

    opaque: Opaque


Part = Text | File | Reasoning | ToolCall | ToolResult | Refusal | Custom


class Message(Struct, frozen=True, omit_defaults=True):
    """One turn. Assistant messages carry their `origin`, so that a conversation can change model half-way."""

    role: Role
    content: str | list[Part]
    origin: Origin | None = None


class FunctionTool(Struct, frozen=True, tag="function", omit_defaults=True):
    """A function the host offers. `input_schema` is a JSON Schema of an object."""

    name: str
    description: str | None = None
    input_schema: dict[str, Any] = {}
    strict: bool | None = None
    cache: CacheHint | None = None


class ProviderTool(Struct, frozen=True, tag="provider"):
    """A tool that the provider runs itself. `definition` is passed through unchanged."""

    definition: dict[str, Any]


Tool = FunctionTool | ProviderTool


class NamedTool(Struct, frozen=True, tag="function"):
    """The one tool that the model must call."""

    name: str


ToolChoice = Literal["auto", "none", "required"] | NamedTool


class TextFormat(Struct, frozen=True, tag="text"):
    """Free text, the default."""


class JsonFormat(Struct, frozen=True, tag="json"):
    """Any JSON object."""


class JsonSchemaFormat(Struct, frozen=True, tag="json_schema", omit_defaults=True):
    """JSON that matches `schema`."""

    schema: dict[str, Any]
    name: str = "answer"
    description: str | None = None
    strict: bool | None = None


ResponseFormat = TextFormat | JsonFormat | JsonSchemaFormat
OnUnsupported = Literal["warn", "error"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class ReasoningOptions(Struct, frozen=True, omit_defaults=True):
    """How much the model should think: an effort, or a budget in tokens."""

    effort: Effort | None = None
    budget_tokens: Annotated[int, Meta(ge=0)] | None = None


class ChatRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question. Without `provider` it goes to the active one, without `model` to that provider's configured one."""

    messages: list[Message]
    provider: str | None = None
    model: str | None = None
    tools: list[Tool] = []
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] = []
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    context_size: Annotated[int, Meta(ge=1)] | None = None
    reasoning: ReasoningOptions | None = None
    timeouts: Timeouts | None = None
    retry: RetryOptions | None = None
    fallback: Fallbacks | None = None
    cache: CacheOptions | None = None
    privacy: Privacy | None = None
    tags: Tags = []
    provider_options: dict[str, dict[str, Any]] = {}
    on_unsupported: OnUnsupported = "warn"
    include_message: bool = True


class StreamRequest(ChatRequest, frozen=True, kw_only=True, omit_defaults=True):
    """A question whose answer is streamed. `stream_id` defaults to the request's id as a string."""

    stream_id: str | None = None


class FinishReason(Struct, frozen=True):
    """Why the answer ended: in the protocol's words, and in the provider's."""

    reason: Reason
    raw: str | None = None


class Warning(Struct, frozen=True, omit_defaults=True):  # noqa: A001 - the wire's name
    """Something that was asked for and not done, or done differently."""

    type: str
    message: str
    param: str | None = None


StructuredOutput = Literal["native", "tool", "prompt"]


class ChatResult(Struct, kw_only=True):
    """The answer. For a stream, the message is what the deltas add up to, and `chunks` their number.

    `structured_output` tells by which way an answer in JSON was had: the provider's own, a tool that the model had to
    call, or words alone. It was checked against the schema in any case. `cached` is true for an answer that was kept
    from an earlier question, or came from one that was being asked at the same time.
    """

    message: Message | UnsetType | None = UNSET
    finish_reason: FinishReason
    usage: Usage
    cost: Cost
    timing: Timing
    attempts: list[Attempt]
    warnings: list[Warning]
    provider: str
    model: str
    stream_id: str | UnsetType = UNSET
    chunks: int | UnsetType = UNSET
    structured_output: StructuredOutput | UnsetType = UNSET
    cached: bool | UnsetType = UNSET


class CancelParams(Struct):
    """Which stream to end."""

    stream_id: str


class CancelResult(Struct):
    """Whether the stream was ended by this call; false when it had ended already or never was."""

    cancelled: bool

"""What servers send, as they send it: every field may be missing, null or of another type.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from typing import Any

from msgspec import Raw, Struct, field

Number = int | float | None
"""A token count; some servers send floats."""


class TokenDetails(Struct, frozen=True, gc=False):
    """Parts of a token count."""

    cached_tokens: Number = None
    cache_write_tokens: Number = None
    reasoning_tokens: Number = None


class WireUsage(Struct, frozen=True, gc=False):
    """Token counts, and what they cost where the server says so."""

    prompt_tokens: Number = None
    completion_tokens: Number = None
    total_tokens: Number = None
    prompt_tokens_details: TokenDetails | None = None
    completion_tokens_details: TokenDetails | None = None
    prompt_cache_hit_tokens: Number = None
    num_cached_tokens: Number = None
    cached_tokens: Number = None
    reasoning_tokens: Number = None
    cost: Raw = field(default_factory=Raw)


class ContentPart(Struct, frozen=True):
    """A part of content that comes as a list."""

    type: str | None = None
    text: str | None = None
    thinking: "str | list[ContentPart] | None" = None
    refusal: str | None = None


class Function(Struct, frozen=True):
    """What is called, or a fragment of it."""

    name: str | None = None
    arguments: str | dict[str, Any] | list[Any] | None = None


class ToolFragment(Struct, frozen=True):
    """A tool call, or a fragment of one."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


class UrlReference(Struct, frozen=True):
    """A page that the text refers to."""

    url: str | None = None
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class Annotation(Struct, frozen=True):
    """A note on the text."""

    type: str | None = None
    url_citation: UrlReference | None = None


class Delta(Struct, frozen=True):
    """What is added to the message, or the message."""

    content: str | list[ContentPart | str] | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    thinking: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    refusal: str | bool | None = None
    tool_calls: list[ToolFragment] | None = None
    function_call: Function | None = None
    annotations: list[Annotation] | None = None


class Choice(Struct, frozen=True):
    """One of the answers. A stream has `delta`, a whole answer `message`."""

    index: int | None = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    usage: WireUsage | None = None


class Extension(Struct, frozen=True):
    """A second place for token counts and errors."""

    usage: WireUsage | None = None
    error: Any = None


class Chunk(Struct, frozen=True):
    """One event of a stream, or a whole answer."""

    choices: list[Choice] | None = None
    usage: WireUsage | None = None
    x_groq: Extension | None = None
    error: Any = None


class Architecture(Struct, frozen=True):
    """What kinds of input a model takes."""

    input_modalities: list[str] | None = None


class Hosting(Struct, frozen=True):
    """What the best server of a model allows."""

    context_length: int | None = None
    max_completion_tokens: int | None = None


class FileFacts(Struct, frozen=True):
    """What a model file says of itself."""

    n_ctx: int | None = None
    n_ctx_train: int | None = None
    size: int | None = None


class Capabilities(Struct, frozen=True):
    """What a model can do."""

    vision: bool | None = None
    audio: bool | None = None


class Model(Struct, frozen=True):
    """An entry of a model list."""

    id: str | None = None
    name: str | None = None
    display_name: str | None = None
    owned_by: str | None = None
    organization: str | None = None
    created: Number = None
    context_length: int | None = None
    context_window: int | None = None
    max_context_length: int | None = None
    max_model_len: int | None = None
    max_completion_tokens: int | None = None
    supported_parameters: list[str] | None = None
    architecture: Architecture | None = None
    top_provider: Hosting | None = None
    meta: FileFacts | None = None
    capabilities: Capabilities | None = None


class ModelPage(Struct, frozen=True):
    """A model list."""

    data: list[Model] | None = None

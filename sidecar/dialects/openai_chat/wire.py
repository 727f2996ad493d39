"""What servers send, as they send it: every field may be missing, null or of another type.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from typing import Any

from msgspec import Raw, Struct

from sidecar.dialects.counts import Number


class TokenDetails(Struct, frozen=True, gc=False):
    """Parts of a token count."""

    cached_tokens: Number = None
    cache_write_tokens: Number = None
    cache_creation_input_tokens: Number = None
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
    cache_read_input_tokens: Number = None
    cache_creation_input_tokens: Number = None
    reasoning_tokens: Number = None
    cost: Raw = Raw()
    cost_in_usd_ticks: Number = None


class Bill(Struct, frozen=True, gc=False):
    """A cost by its items."""

    total_cost: Raw = Raw()


class Function(Struct, frozen=True, gc=False):
    """What is called, or a fragment of it; `input` is what a tool is given that takes any text."""

    name: str | None = None
    arguments: str | dict[str, Any] | list[Any] | None = None
    input: str | None = None


class ToolFragment(Struct, frozen=True, gc=False):
    """A tool call, or a fragment of one."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None
    custom: Function | None = None
    extra_content: Raw = Raw()


class UrlReference(Struct, frozen=True, gc=False):
    """A page that the text refers to."""

    url: str | None = None
    title: str | None = None
    snippet: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class Annotation(Struct, frozen=True, gc=False):
    """A note on the text."""

    type: str | None = None
    url_citation: UrlReference | None = None


class Address(Struct, frozen=True, gc=False):
    """Where a picture is, or the picture itself."""

    url: str | None = None


class Picture(Struct, frozen=True, gc=False):
    """A picture that the model made."""

    image_url: Address | str | None = None


class Sound(Struct, frozen=True, gc=False):
    """What the model said aloud, or a fragment of it. `data` is base64."""

    id: str | None = None
    data: str | None = None
    transcript: str | None = None


class ContentPart(Struct, frozen=True, gc=False):
    """A part of content that comes as a list."""

    type: str | None = None
    text: str | None = None
    thinking: "str | list[ContentPart | str] | None" = None
    signature: str | None = None
    refusal: str | None = None
    image_url: Address | str | None = None
    url: str | None = None
    title: str | None = None


class Delta(Struct, frozen=True, gc=False):
    """What is added to the message, or the message."""

    content: str | list[Raw] | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    thinking: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    refusal: str | bool | None = None
    tool_calls: list[ToolFragment] | None = None
    function_call: Function | None = None
    annotations: list[Annotation] | None = None
    images: list[Picture] | None = None
    audio: Sound | None = None


class Choice(Struct, frozen=True, gc=False):
    """One of the answers. A stream has `delta`, a whole answer `message`."""

    index: int | None = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    usage: WireUsage | None = None


class Extension(Struct, frozen=True, gc=False):
    """A second place for token counts and errors."""

    usage: WireUsage | None = None
    error: Any = None


class Chunk(Struct, frozen=True, gc=False):
    """One event of a stream, or a whole answer. What was searched for it may stand beside it."""

    choices: list[Choice] | None = None
    usage: WireUsage | None = None
    x_groq: Extension | None = None
    error: Any = None
    citations: list[UrlReference | str] | None = None
    search_results: list[UrlReference] | None = None

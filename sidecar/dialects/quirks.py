"""How servers that speak Chat Completions differ, as data."""

from typing import Literal

from msgspec import Struct


class ChatQuirks(Struct, frozen=True, kw_only=True):
    """One server's deviations from the common form; the defaults suit an unknown compatible server."""

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    seed_field: Literal["seed", "random_seed"] | None = "seed"
    top_k: bool = False
    penalties: bool = True
    stop: bool = True
    tools: bool = True
    """Whether the model may be offered tools at all."""
    tool_choice: bool = True
    """Whether the server reads which tools must be called."""
    required_tool_choice: Literal["required", "any"] = "required"
    parallel_tool_calls: bool = True
    nine_character_ids: bool = False
    """Whether tool call ids must be exactly nine letters or digits."""
    object_arguments: bool = False
    """Whether the arguments of past tool calls must be JSON objects."""
    require_parameters: bool = False
    """Whether the server must be told, by `provider.require_parameters`, not to ignore tools and forms of answers."""

    order: Literal["free", "turns", "bridged"] = "free"
    """How strict the server is: `turns`: instructions first, then user and assistant in turn; `bridged`: also, the
    assistant speaks between the results of its tools and the user."""
    developer_role: bool = False
    """Whether `developer` is sent as such, and `system` turned into it for reasoning models by the server itself."""
    content_null: bool = True
    """Whether an assistant message of tool calls alone has `content: null` (else an empty string)."""
    cache_control: bool = False
    """Whether parts may carry `cache_control`."""

    image_urls: bool = True
    documents: Literal["file", "document_url"] = "file"
    """The type of the part that holds a PDF."""
    document_urls: bool = False
    """Whether the address of a PDF can be sent."""
    audio: Literal["object", "string"] = "object"
    """Whether a recording is sent with its format or by itself."""
    audio_formats: frozenset[str] = frozenset({"wav", "mp3"})
    videos: bool = False
    """Whether there are parts of type `video_url`."""

    reasoning: Literal["effort", "switch", "object", "template", "effort_and_template"] | None = "effort"
    """How an effort is asked for: by `reasoning_effort`; the same, and `thinking: {type: disabled}` for none; by
    `reasoning: {effort, max_tokens}`; by arguments of the chat template; in both ways; not at all."""
    budget_field: Literal["thinking_token_budget", "thinking_budget_tokens"] | None = None
    """The field for a reasoning budget, where there is one."""
    parsed_reasoning: bool = False
    """Whether the server keeps thoughts apart from words when told `reasoning_format: parsed`."""
    reasoning_echo: Literal["none", "reasoning_content", "reasoning"] = "none"
    """The field in which an assistant's reasoning is sent back with its tool calls."""
    reasoning_echo_required: bool = False
    """Whether that field must be there even if nothing is known of the reasoning."""

    stream_usage: bool = True
    """Whether `stream_options.include_usage` must be sent to get token counts."""
    obfuscation: bool = False
    """Whether the server pads its events unless told not to."""
    storage: bool = False
    """Whether the server may keep answers unless told `store: false`."""
    reasoning_excluded: bool = False
    """Whether `completion_tokens` leave the reasoning tokens out."""
    cost_field: bool = False
    """Whether `usage.cost` is a price in US dollars."""
    count_path: str | None = None
    """Where tokens are counted: `{model, messages}` is answered with `{count}`."""
    counts_input: bool = False
    """Whether `/responses/input_tokens` counts tokens."""
    base64_vectors: bool = False
    """Whether vectors can be asked for as base64."""

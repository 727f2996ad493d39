"""How servers that speak Chat Completions differ, as data."""

from typing import Literal

from msgspec import Struct


class ChatQuirks(Struct, frozen=True, kw_only=True):
    """One server's deviations from the common form; the defaults suit an unknown compatible server."""

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    seed_field: Literal["seed", "random_seed"] = "seed"
    required_tool_choice: Literal["required", "any"] = "required"
    developer_role: bool = False
    """Whether `developer` is sent as such, and `system` turned into it for reasoning models by the server itself."""
    stream_usage: bool = True
    """Whether `stream_options.include_usage` must be sent to get token counts."""
    obfuscation: bool = False
    """Whether the server pads its events unless told not to."""
    json_schema: bool = True
    reasoning_effort: bool = True
    reasoning_object: bool = False
    """Whether reasoning is asked for as `reasoning: {effort, max_tokens}` instead of `reasoning_effort`."""
    reasoning_echo: Literal["none", "reasoning_content", "reasoning"] = "none"
    """The field in which an assistant's reasoning is sent back with its tool calls."""
    reasoning_excluded: bool = False
    """Whether `completion_tokens` leave the reasoning tokens out."""
    nine_character_ids: bool = False
    """Whether tool call ids must be exactly nine letters or digits."""
    top_k: bool = False
    penalties: bool = True
    image_urls: bool = True
    content_null: bool = True
    """Whether an assistant message of tool calls alone has `content: null` (else an empty string)."""
    parallel_tool_calls: bool = True
    storage: bool = False
    """Whether the server may keep answers unless told `store: false`."""
    thinking_switch: bool = False
    """Whether reasoning is turned off by `thinking: {"type": "disabled"}` instead of an effort `none`."""
    cache_control: bool = False
    """Whether parts may carry `cache_control`."""
    cost_field: bool = False
    """Whether `usage.cost` is a price in US dollars."""

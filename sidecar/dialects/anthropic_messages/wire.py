"""What servers send, as they send it: every field may be missing, null or of another type.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct, field

from sidecar.dialects.counts import Number


class Delta(Struct, frozen=True, gc=False):
    """What is added to a block."""

    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    signature: str | None = None


class Event(Struct, frozen=True, gc=False):
    """As much of an event as most of them have."""

    type: str | None = None
    index: int | None = None
    delta: Delta | None = None


class CacheCreation(Struct, frozen=True):
    """What was written to the cache, by how long it is kept."""

    ephemeral_5m_input_tokens: Number = None
    ephemeral_1h_input_tokens: Number = None


class OutputDetails(Struct, frozen=True):
    """Parts of the output."""

    thinking_tokens: Number = None


class WireUsage(Struct, frozen=True):
    """Token counts. `input_tokens` are those that the cache had no part in."""

    input_tokens: Number = None
    cache_read_input_tokens: Number = None
    cache_creation_input_tokens: Number = None
    cache_creation: CacheCreation | None = None
    output_tokens: Number = None
    output_tokens_details: OutputDetails | None = None


class StopDetails(Struct, frozen=True):
    """Why the model declined."""

    category: str | None = None
    explanation: str | None = None


class Ending(Struct, frozen=True):
    """Why the answer ended."""

    stop_reason: str | None = None
    stop_details: StopDetails | None = None


class Message(Ending, frozen=True):
    """A whole answer, or the beginning of one."""

    content: list[Raw] | None = None
    usage: WireUsage | None = None


class MessageStart(Struct, frozen=True):
    """The event that opens an answer."""

    message: Message | None = None


class MessageDelta(Struct, frozen=True):
    """The event that says how an answer ended."""

    delta: Ending | None = None
    usage: WireUsage | None = None


class BlockStart(Struct, frozen=True):
    """The event that opens a block."""

    content_block: Raw = field(default_factory=Raw)


class Kind(Struct, frozen=True):
    """Who may call a tool."""

    type: str | None = None


class Block(Struct, frozen=True):
    """A block of content, as far as it is more than passed on."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    citations: list[Raw] | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = field(default_factory=Raw)
    caller: Kind | None = None
    toolset_name: str | None = None


class RareDelta(Struct, frozen=True):
    """What is added to a block now and then."""

    type: str | None = None
    citation: Raw = field(default_factory=Raw)
    content: str | None = None
    encrypted_content: str | None = None


class RareEvent(Struct, frozen=True):
    """An event that adds to a block what is no words."""

    delta: RareDelta | None = None


class Failure(Struct, frozen=True):
    """The event that breaks an answer off."""

    request_id: str | None = None


class WireCitation(Struct, frozen=True):
    """A place that the text refers to."""

    type: str | None = None
    cited_text: str | None = None
    url: str | None = None
    source: str | None = None
    title: str | None = None
    encrypted_index: str | None = None
    document_index: int | None = None
    document_title: str | None = None
    file_id: str | None = None
    start_char_index: int | None = None
    end_char_index: int | None = None
    start_page_number: int | None = None
    end_page_number: int | None = None
    start_block_index: int | None = None
    end_block_index: int | None = None


EVENT: Final = msgspec.json.Decoder(Event)

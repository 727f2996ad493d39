"""What the server sends, as it sends it: every field may be missing, null or of another type.

https://ai.google.dev/api/generate-content
"""

from typing import Any

from msgspec import Raw, Struct

from sidecar.dialects.counts import Number

NOTHING = Raw()


class FunctionCall(Struct, frozen=True, gc=False, rename="camel"):
    """A tool call; it always comes whole."""

    id: str | None = None
    name: str | None = None
    args: Raw = NOTHING


class Blob(Struct, frozen=True, gc=False, rename="camel"):
    """A file. `data` is base64."""

    mime_type: str | None = None
    data: Raw = NOTHING


class Part(Struct, frozen=True, gc=False, rename="camel"):
    """A piece of the answer. Of `text`, `function_call` and `inline_data` there is one, or it is of another kind."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: Raw = NOTHING
    function_call: FunctionCall | None = None
    inline_data: Blob | None = None


class Content(Struct, frozen=True, gc=False):
    """What was said."""

    parts: list[Part] | None = None


class Page(Struct, frozen=True, rename="camel"):
    """A source, or the answer's place in it; an image has its addresses apart."""

    uri: str | None = None
    title: str | None = None
    text: str | None = None
    source_uri: str | None = None


class Source(Struct, frozen=True, rename="camel"):
    """What a statement rests on: one of these."""

    web: Page | None = None
    maps: Page | None = None
    image: Page | None = None
    retrieved_context: Page | None = None


class Segment(Struct, frozen=True, rename="camel"):
    """A piece of the answer's text; its borders are counted in bytes."""

    start_index: int | None = None
    end_index: int | None = None
    text: str | None = None


class Support(Struct, frozen=True, rename="camel"):
    """Which sources a segment rests on."""

    segment: Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class Grounding(Struct, frozen=True, rename="camel"):
    """Sources, and what in the answer rests on them."""

    grounding_chunks: list[Source] | None = None
    grounding_supports: list[Support] | None = None


class Quotation(Struct, frozen=True, rename="camel"):
    """A piece of the answer that was written before, and where; its borders are counted in bytes."""

    start_index: int | None = None
    end_index: int | None = None
    uri: str | None = None
    title: str | None = None


class Quotations(Struct, frozen=True, rename="camel"):
    """All such pieces, by either of the two names that they come under."""

    citation_sources: list[Quotation] | None = None
    citations: list[Quotation] | None = None


class Candidate(Struct, frozen=True, gc=False, rename="camel"):
    """One of the answers, or what is added to it."""

    index: int | None = None
    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    continuation_token: Raw = NOTHING
    grounding_metadata: Grounding | None = None
    citation_metadata: Quotations | None = None
    url_context_metadata: Any = None


class Feedback(Struct, frozen=True, gc=False, rename="camel"):
    """Why the question was not answered."""

    block_reason: str | None = None
    block_reason_message: str | None = None


class WireUsage(Struct, frozen=True, gc=False, rename="camel"):
    """Token counts so far; what is zero is left out."""

    prompt_token_count: Number = None
    cached_content_token_count: Number = None
    candidates_token_count: Number = None
    thoughts_token_count: Number = None
    tool_use_prompt_token_count: Number = None


class Chunk(Struct, frozen=True, gc=False, rename="camel"):
    """One event of a stream, or a whole answer."""

    candidates: list[Candidate] | None = None
    usage_metadata: WireUsage | None = None
    prompt_feedback: Feedback | None = None
    response_id: str | None = None
    error: Any = None


class RawContent(Struct, frozen=True):
    """What was said, not looked at."""

    parts: list[Raw] | None = None


class RawCandidate(Struct, frozen=True, rename="camel"):
    """An answer of which some things are kept as they are."""

    index: int | None = None
    content: RawContent | None = None
    grounding_metadata: Raw = NOTHING
    url_context_metadata: Raw = NOTHING


class RawChunk(Struct, frozen=True):
    """An event of which some things are kept as they are."""

    candidates: list[RawCandidate] | None = None


class ChunkList(Struct, frozen=True):
    """Events that come as one array."""

    chunks: list[Raw] | None = None

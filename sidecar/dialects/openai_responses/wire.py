"""What servers send, as they send it: every field may be missing, null or of another type.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from typing import Any

from msgspec import Raw, Struct, field

from sidecar.dialects.counts import Number


class InputDetails(Struct, frozen=True):
    """Parts of the input."""

    cached_tokens: Number = None
    cache_write_tokens: Number = None


class OutputDetails(Struct, frozen=True):
    """Parts of the output."""

    reasoning_tokens: Number = None


class WireUsage(Struct, frozen=True):
    """Token counts, and what they cost where the server says so. A tick is a ten-billionth of a US dollar."""

    input_tokens: Number = None
    output_tokens: Number = None
    total_tokens: Number = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None
    cost_in_usd_ticks: Number = None
    cost: Raw = field(default_factory=Raw)


class Annotation(Struct, frozen=True):
    """A note on a text: a page or a file that it refers to."""

    type: str | None = None
    url: str | None = None
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None
    file_id: str | None = None
    filename: str | None = None


class Content(Struct, frozen=True):
    """A part of a message, of reasoning, or of its summary."""

    type: str | None = None
    text: str | None = None
    refusal: str | None = None
    annotations: list[Annotation] | None = None


class Item(Struct, frozen=True):
    """A piece of the output: a message, reasoning, a call, or something else."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    input: str | None = None
    content: list[Content] | None = None
    summary: list[Content] | None = None
    encrypted_content: str | None = None
    phase: str | None = None


class Declared(Struct, frozen=True):
    """A tool of the request, repeated in the answer."""

    name: str | None = None


class IncompleteDetails(Struct, frozen=True):
    """Why an answer breaks off."""

    reason: str | None = None


class Response(Struct, frozen=True):
    """The answer as a whole, or as far as it has come."""

    status: str | None = None
    output: list[Raw] | None = None
    tools: list[Declared] | None = None
    usage: WireUsage | None = None
    incomplete_details: IncompleteDetails | None = None
    error: Raw = field(default_factory=Raw)


class Event(Struct, frozen=True, gc=False):
    """One event of a stream; which members it has depends on its type."""

    type: str = ""
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    delta: str = ""
    item: Raw = Raw()
    response: Response | None = None
    annotation: Annotation | None = None


class Use(Struct, frozen=True):
    """One of several calls in one."""

    recipient_name: str
    parameters: Raw


class Uses(Struct, frozen=True):
    """The arguments of a tool that stands for several calls at once."""

    tool_uses: list[Use]


class Count(Struct, frozen=True):
    """How many tokens a question has."""

    input_tokens: Number = None

"""What the server sends, as it sends it: every field may be missing, null or of another type.

https://docs.ollama.com/api/chat
"""

from typing import Any

from msgspec import Raw, Struct

from sidecar.dialects.counts import Number


class Function(Struct, frozen=True, gc=False):
    """What is called; its arguments are an object."""

    name: str | None = None
    arguments: Raw = Raw()


class Call(Struct, frozen=True, gc=False):
    """A tool call, always whole."""

    id: str | None = None
    function: Function | None = None


class Message(Struct, frozen=True, gc=False):
    """More of the answer, or all of it."""

    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Call] | None = None
    images: list[str] | None = None


class Line(Struct, frozen=True, gc=False):
    """One line of a stream, or a whole answer. The last line has `done` and the token counts."""

    message: Message | None = None
    done: bool | None = None
    done_reason: str | None = None
    created_at: str | None = None
    prompt_eval_count: Number = None
    eval_count: Number = None
    error: Any = None


class Vectors(Struct, frozen=True):
    """The answer to a request for vectors."""

    embeddings: list[list[float]] | None = None
    prompt_eval_count: Number = None

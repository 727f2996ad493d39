"""About how many tokens a question has, before a provider counts them; pure."""

from collections.abc import Iterator
from typing import Final

import msgspec

from sidecar.dialects.files import kind_of
from sidecar.dialects.traits import FileKind
from sidecar.schema.chat import Base64Source, ChatRequest, File, JsonSchemaFormat, Part, ToolResult
from sidecar.transcript import BYTES_PER_TOKEN, Transcript

ALLOWANCES: Final[dict[FileKind | None, int]] = {
    "image": 1_600,
    "document": 10_000,
    "audio": 2_000,
    "video": 20_000,
    "text": 2_000,
}
"""Tokens for a file of which only the kind is known: a large picture, some ten pages, one minute of sound or film."""

OTHER_FILE: Final = 2_000
"""Tokens for a file of any other kind."""


def tokens_of(request: ChatRequest) -> int:
    """Return about how many tokens a question has: its words, its tools, its schema and an allowance for each file."""
    words = Transcript().settled_usage(request.messages).input_tokens or 0
    definitions = [msgspec.json.encode(tool) for tool in request.tools]
    if isinstance(request.response_format, JsonSchemaFormat):
        definitions.append(msgspec.json.encode(request.response_format.schema))
    files = sum(_allowance(file) for message in request.messages for file in _files(message.content))
    return words + sum(_tokens(len(definition)) for definition in definitions) + files


def _files(content: str | list[Part]) -> Iterator[File]:
    for part in content:
        if isinstance(part, File):
            yield part
        elif isinstance(part, ToolResult) and not isinstance(part.content, str):
            yield from (inner for inner in part.content if isinstance(inner, File))


def _allowance(file: File) -> int:
    kind = kind_of(file)
    if kind == "text" and isinstance(file.source, Base64Source):
        return _tokens(len(memoryview(file.source.data)) * 3 // 4)
    return ALLOWANCES.get(kind, OTHER_FILE)


def _tokens(length: int) -> int:
    return -(-length // BYTES_PER_TOKEN)

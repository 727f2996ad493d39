"""Conversations written as input items. https://platform.openai.com/docs/api-reference/responses/create"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct, field

from sidecar.dialects.contract import Aim
from sidecar.dialects.files import data_url, kind_of, readable, words_of
from sidecar.dialects.history import CONTINUE, answered
from sidecar.dialects.lenient import UNREADABLE
from sidecar.dialects.opaque import own, own_as
from sidecar.dialects.report import Report, refuse
from sidecar.schema.chat import (
    CacheHint,
    Custom,
    File,
    Message,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    UrlSource,
)

CACHE_MARK: Final = {"prompt_cache_breakpoint": {"mode": "explicit"}}
INSTRUCTING: Final = frozenset({"system", "developer"})

Wire = dict[str, Any]
Items = list[Wire | Raw]


class Phase(Struct, frozen=True):
    """What part of its work a message of the model belongs to."""

    phase: str | None = None


class Kept(Struct, frozen=True):
    """As much of an item that goes back as must be known."""

    type: str | None = None
    call_id: str | None = None


class Shared(Struct):
    """What the turns of a conversation know of each other.

    `custom` are the ids of calls whose results have a form of their own, `thoughts` the reasoning that is sent: each
    item may occur once.
    """

    custom: set[str] = field(default_factory=set[str])
    thoughts: set[bytes] = field(default_factory=set[bytes])


class InputWriter:
    """Writes one conversation."""

    def __init__(self, aim: Aim, report: Report) -> None:
        self._aim = aim
        self._report = report
        self._items: Items = []
        self._shared = Shared()

    def write(self, messages: Iterable[Message]) -> Items:
        """Return the items; instructions are messages among them, as not all servers take them apart."""
        for message in answered(messages, self._report):
            self._message(message)
        return self._items or self._speech("user", [Text(CONTINUE)])

    def _message(self, message: Message) -> None:
        parts = message.content
        assert not isinstance(parts, str)
        if message.role == "assistant":
            self._items += Turn(self._aim, self._report, self._shared).write(parts)
        elif message.role == "tool":
            self._items += [self._result(part) for part in parts if isinstance(part, ToolResult)]
        else:
            self._items += self._speech(message.role, parts)

    def _speech(self, role: str, parts: list[Part]) -> Items:
        if role in INSTRUCTING:
            if not all(isinstance(part, Text) for part in parts):
                raise refuse(f"A message of role `{role}` holds text only.")
            role = role if self._aim.quirks.developer_role else "system"
        content = [written for part in parts if (written := self._part(part)) is not None]
        return [{"type": "message", "role": role, "content": content}] if content else []

    def _part(self, part: Part) -> Wire | Raw | None:
        """Return a part of a message to the model; none for data that stays behind."""
        if isinstance(part, Text | File):
            return self._said(part)
        if isinstance(part, Custom):
            return own(part.opaque, self._aim, self._report)
        raise refuse(f"A part of type `{part.__struct_config__.tag}` cannot be sent in such a message.")

    def _said(self, part: Text | File) -> Wire:
        own(part.opaque, self._aim, self._report)
        written = self._file(part) if isinstance(part, File) else {"type": "input_text", "text": part.text}
        return written | self._cache(part.cache)

    def _file(self, file: File) -> Wire:
        kind = readable(file, self._aim.traits)
        if kind == "image":
            return {"type": "input_image", "image_url": self._image_url(file), "detail": file.detail or "auto"}
        if kind == "document":
            if isinstance(file.source, UrlSource):
                return {"type": "input_file", "file_url": file.source.url}
            name = file.filename or "document.pdf"
            return {"type": "input_file", "filename": name, "file_data": data_url(file)}
        if kind == "text":
            return {"type": "input_text", "text": words_of(file)}
        raise refuse(f"Files of type {file.media_type} cannot be sent to this provider.")

    def _image_url(self, file: File) -> str | Raw:
        if not isinstance(file.source, UrlSource):
            return data_url(file)
        if self._aim.quirks.image_urls:
            return file.source.url
        raise refuse("The provider takes images as data only, not as addresses.")

    def _result(self, result: ToolResult) -> Wire:
        kind = "custom_tool_call_output" if result.tool_call_id in self._shared.custom else "function_call_output"
        return {"type": kind, "call_id": result.tool_call_id, "output": self._output(result)}

    def _output(self, result: ToolResult) -> str | list[Wire]:
        """Return a string where a result is mere text."""
        content = [Text(result.content)] if isinstance(result.content, str) else result.content
        parts = [part for part in content if isinstance(part, File) or part.text]
        texts = [part.text for part in parts if isinstance(part, Text)]
        mark = self._cache(result.cache) if parts else {}
        if len(texts) == len(parts) and not mark:
            text = "\n".join(texts)
            return f"Error: {text}" if result.is_error else text
        failed = [Text("The tool failed.")] if result.is_error else []
        written = [self._said(part) for part in (*failed, *parts)]
        return [*written[:-1], written[-1] | mark]

    def _cache(self, cache: CacheHint | None) -> Wire:
        if cache is None:
            return {}
        if self._aim.traits.cache_marks and "cache" not in self._aim.lacks:
            return CACHE_MARK
        self._report.no_cache_marks()
        return {}


class Turn:
    """Writes one turn of the model. Reasoning goes back right before the item that it led to, or not at all."""

    def __init__(self, aim: Aim, report: Report, shared: Shared) -> None:
        self._aim = aim
        self._report = report
        self._shared = shared
        self._items: Items = []
        self._thoughts: list[Raw] = []
        self._speech: Wire | None = None

    def write(self, parts: Iterable[Part]) -> Items:
        """Return the items of a turn."""
        for part in parts:
            self._part(part)
        return self._items

    def _part(self, part: Part) -> None:
        if isinstance(part, Text):
            self._say({"type": "output_text", "text": part.text}, part)
        elif isinstance(part, Refusal):
            self._say({"type": "refusal", "refusal": part.text}, part)
        elif isinstance(part, Reasoning):
            self._think(part)
        elif isinstance(part, ToolCall):
            self._call(part)
        elif isinstance(part, Custom):
            data = own(part.opaque, self._aim, self._report)
            if data is not None:
                self._add(data)
        elif isinstance(part, File):
            kind = kind_of(part) or part.media_type
            self._report.history(f"A file ({kind}) that the model made was left out, as it cannot be sent back.")
        else:
            raise refuse("The result of a tool cannot be sent in a message of the model.")

    def _say(self, content: Wire, part: Text | Refusal) -> None:
        found = own_as(Phase, part.opaque, self._aim, self._report)
        phase = {"phase": found.phase} if found is not None and found.phase else {}
        if not part.text:
            return
        last = self._speech
        if last is not None and not self._thoughts and last.get("phase") == phase.get("phase"):
            last["content"].append(content)
            return
        message = {"type": "message", "role": "assistant", "content": [content]} | phase
        self._add(message)
        self._speech = message

    def _think(self, part: Reasoning) -> None:
        data = own(part.opaque, self._aim, self._report)
        if data is None or _kept(data).type != "reasoning" or bytes(data) in self._shared.thoughts:
            return
        self._shared.thoughts.add(bytes(data))
        self._thoughts.append(data)

    def _call(self, call: ToolCall) -> None:
        data = own(call.opaque, self._aim, self._report)
        if data is not None and _kept(data) == Kept("custom_tool_call", call.id):
            self._shared.custom.add(call.id)
            self._add(data)
            return
        arguments = call.arguments.strip() or "{}"
        self._add({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments})

    def _add(self, item: Wire | Raw) -> None:
        self._items += [*self._thoughts, item]
        self._thoughts = []
        self._speech = None


def _kept(data: Raw) -> Kept:
    try:
        return msgspec.json.decode(data, type=Kept)
    except UNREADABLE:
        return Kept()

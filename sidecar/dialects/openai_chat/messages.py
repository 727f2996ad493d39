"""Conversations written: our messages in, the server's out."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Raw

from sidecar.dialects.contract import Aim
from sidecar.dialects.openai_chat.files import file_part
from sidecar.dialects.openai_chat.report import Report, refuse
from sidecar.dialects.openai_chat.tool_ids import nine_characters
from sidecar.schema.chat import (
    CacheHint,
    Custom,
    File,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from sidecar.schema.errors import SidecarError

CACHE_REASON: Final = "The provider decides by itself what it caches"

Wire = dict[str, Any]
WirePart = Wire | Raw


def cache_control(cache: CacheHint) -> Wire:
    """Return the mark up to which the prompt is to be kept."""
    return {"type": "ephemeral"} | ({"ttl": cache.ttl} if cache.ttl != "5m" else {})


class MessageWriter:
    """Writes one conversation.

    Results of tools are text here. Their files follow in a message of the user, after the last result in a row.
    """

    def __init__(self, aim: Aim, report: Report) -> None:
        self._aim = aim
        self._quirks = aim.quirks
        self._report = report
        self._written: list[Wire] = []
        self._files: list[WirePart] = []

    def write(self, messages: Iterable[Message]) -> list[Wire]:
        """Return the messages for the server."""
        for message in messages:
            parts: list[Part] = [Text(message.content)] if isinstance(message.content, str) else message.content
            if message.role == "tool":
                self._results(parts)
                continue
            if message.role == "user":
                self._user(parts)
                continue
            self._flush()
            if message.role == "assistant":
                self._assistant(parts)
            else:
                self._instructions(message.role, parts)
        self._flush()
        return self._written

    def _flush(self) -> None:
        if self._files:
            self._written.append({"role": "user", "content": self._files})
            self._files = []

    def _instructions(self, role: str, parts: list[Part]) -> None:
        if not all(isinstance(part, Text) for part in parts):
            raise refuse(f"A message of role `{role}` holds text only.")
        role = role if self._quirks.developer_role else "system"
        self._written.append({"role": role, "content": self._content(self._parts(parts), "\n\n")})

    def _user(self, parts: list[Part]) -> None:
        self._results([part for part in parts if isinstance(part, ToolResult)])
        rest = [part for part in parts if not isinstance(part, ToolResult)]
        if rest or not parts:
            written = self._parts(rest)
            # Files of results come first, in the same message: the row of results has ended.
            content = self._content([*self._files, *written], None)
            self._files = []
            self._written.append({"role": "user", "content": content})

    def _parts(self, parts: Iterable[Part]) -> list[WirePart]:
        return [written for part in parts if (written := self._part(part)) is not None]

    def _part(self, part: Part) -> WirePart | None:
        """Return a part of a message's content, or `None` for an empty one."""
        if isinstance(part, Text):
            self._drop(part.opaque)
            return {"type": "text", "text": part.text} | self._cache(part.cache) if part.text else None
        if isinstance(part, File):
            self._drop(part.opaque)
            return file_part(part, self._quirks) | self._cache(part.cache)
        if isinstance(part, Custom):
            return self._own(part.opaque)
        raise refuse(f"A part of type `{_tag(part)}` cannot be sent in such a message.")

    def _content(self, parts: list[WirePart], joint: str | None) -> str | list[WirePart]:
        """Return a string where the parts are mere text; several are joined with `joint`, if one is given."""
        texts = [part["text"] for part in parts if isinstance(part, dict) and part.keys() == {"type", "text"}]
        if len(texts) == len(parts) and (joint is not None or len(parts) <= 1):
            return (joint or "").join(texts)
        return parts

    def _assistant(self, parts: list[Part]) -> None:
        calls = [part for part in parts if isinstance(part, ToolCall)]
        spoken = [Text(part.text) if isinstance(part, Refusal) else part for part in parts]
        content = self._content(self._parts(p for p in spoken if not isinstance(p, ToolCall | Reasoning)), "")
        for part in parts:
            if isinstance(part, ToolCall | Refusal):
                self._drop(part.opaque)
        message: Wire = {"role": "assistant", "content": content}
        if calls:
            message["tool_calls"] = [self._call(call) for call in calls]
            if not content:
                message["content"] = None if self._quirks.content_null else ""
        thoughts = [part for part in parts if isinstance(part, Reasoning)]
        self._written.append(message | self._reasoning(thoughts, calls))

    def _call(self, call: ToolCall) -> Wire:
        function = {"name": call.name, "arguments": call.arguments.strip() or "{}"}
        return {"id": self._id(call.id), "type": "function", "function": function}

    def _reasoning(self, thoughts: list[Reasoning], calls: list[ToolCall]) -> Wire:
        details: list[Raw] = []
        for thought in thoughts:
            details += self._details(thought.opaque)
        if details:
            return {"reasoning_details": details}
        text = "".join(thought.text for thought in thoughts)
        field = self._quirks.reasoning_echo
        return {field: text} if calls and text and field != "none" else {}

    def _details(self, opaque: Opaque | None) -> list[Raw]:
        if opaque is None:
            return []
        try:
            found = msgspec.json.decode(opaque.data, type=list[Raw]) if opaque.origin == self._aim.origin else []
        except msgspec.DecodeError:
            found = []
        if not found:
            self._report.opaque_dropped()
        return found

    def _results(self, parts: list[Part]) -> None:
        for part in parts:
            if not isinstance(part, ToolResult):
                raise SidecarError("invalid_params", "A message of role `tool` holds parts of type `tool_result` only.")
            self._cache_result(part)
            content = part.content if isinstance(part.content, str) else self._split(part, part.content)
            text = f"Error: {content}" if part.is_error else content
            self._written.append({"role": "tool", "tool_call_id": self._id(part.tool_call_id), "content": text})

    def _split(self, result: ToolResult, parts: list[Text | File]) -> str:
        """Return the text of a result, and keep its files for later."""
        files = self._parts(part for part in parts if isinstance(part, File))
        texts = [part.text for part in parts if isinstance(part, Text) and part.text]
        if files:
            label = f"Files that belong to the result of the tool call {self._id(result.tool_call_id)}:"
            self._files += [{"type": "text", "text": label}, *files]
            texts = texts or ["The result is in the files that follow."]
        return "\n".join(texts)

    def _cache_result(self, result: ToolResult) -> None:
        if result.cache is not None:
            self._report.unsupported("cache", CACHE_REASON)

    def _cache(self, cache: CacheHint | None) -> Wire:
        if cache is None:
            return {}
        if self._quirks.cache_control:
            return {"cache_control": cache_control(cache)}
        self._report.unsupported("cache", CACHE_REASON)
        return {}

    def _id(self, call_id: str) -> str:
        return nine_characters(call_id) if self._quirks.nine_character_ids else call_id

    def _own(self, opaque: Opaque) -> Raw | None:
        """Return a part that came from this very server, as it came."""
        if opaque.origin != self._aim.origin:
            self._report.opaque_dropped()
            return None
        try:
            return msgspec.json.decode(opaque.data, type=Raw)
        except msgspec.DecodeError as error:
            raise SidecarError("invalid_params", "The data of a `custom` part is not JSON.") from error

    def _drop(self, opaque: Opaque | None) -> None:
        if opaque is not None:
            self._report.opaque_dropped()


def _tag(part: Part) -> str:
    return str(part.__struct_config__.tag)

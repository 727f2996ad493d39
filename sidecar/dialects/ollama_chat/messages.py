"""Conversations written: our messages in, the server's out."""

from typing import Any, Final

from msgspec import Raw

from sidecar.dialects.contract import Aim
from sidecar.dialects.files import base64_of, media_type, readable, words_of
from sidecar.dialects.history import answered
from sidecar.dialects.opaque import own
from sidecar.dialects.report import Report, refuse
from sidecar.dialects.tool_arguments import as_object
from sidecar.schema.chat import Custom, File, Message, Part, Reasoning, Refusal, Text, ToolCall, ToolResult

Wire = dict[str, Any]

JOINT: Final = "\n\n"


class _Content:
    """The words and the images of one message."""

    def __init__(self, aim: Aim, report: Report) -> None:
        self._aim = aim
        self._report = report
        self.texts: list[str] = []
        self.images: list[Raw] = []

    def add(self, part: Part) -> None:
        match part:
            case Text(text) | Refusal(text):
                own(part.opaque, self._aim, self._report)
                self.texts.append(text)
            case File():
                own(part.opaque, self._aim, self._report)
                self._attach(part)
            case Custom():
                self._report.opaque_dropped()
            case _:
                kind = part.__struct_config__.tag
                raise refuse(f"A part of type `{kind}` cannot be sent in such a message.")
        if isinstance(part, Text | File) and part.cache is not None:
            self._report.no_cache_marks()

    def _attach(self, file: File) -> None:
        kind = readable(file, self._aim.traits)
        if kind == "text":
            self.texts.append(words_of(file))
        elif kind == "image":
            self.images.append(base64_of(file))
        else:
            raise refuse(f"Files of type {media_type(file)} cannot be sent to this provider.")

    def members(self, joint: str = JOINT) -> Wire:
        """Return the content, and the images where there are any."""
        return {"content": joint.join(self.texts)} | ({"images": self.images} if self.images else {})


class MessageWriter:
    """Writes one conversation. Images in results of tools follow in a message of the user."""

    def __init__(self, aim: Aim, report: Report) -> None:
        self._aim = aim
        self._report = report
        self._written: list[Wire] = []
        self._names: dict[str, str] = {}
        self._shown: list[Raw] = []

    def write(self, messages: list[Message]) -> list[Wire]:
        """Return the messages for the server."""
        for message in answered(messages, self._report):
            assert not isinstance(message.content, str)
            self._add(message.role, message.content)
        self._flush()
        return self._written

    def _add(self, role: str, parts: list[Part]) -> None:
        if role == "tool":
            for part in parts:
                assert isinstance(part, ToolResult)
                self._result(part)
            return
        self._flush()
        if role == "assistant":
            self._assistant(parts)
        elif role == "user":
            self._written.append({"role": "user"} | self._content(parts).members())
        else:
            self._instructions(role, parts)

    def _content(self, parts: list[Part]) -> _Content:
        content = _Content(self._aim, self._report)
        for part in parts:
            content.add(part)
        return content

    def _instructions(self, role: str, parts: list[Part]) -> None:
        if not all(isinstance(part, Text) for part in parts):
            raise refuse(f"A message of role `{role}` holds text only.")
        self._written.append({"role": "system"} | self._content(parts).members())

    def _assistant(self, parts: list[Part]) -> None:
        spoken: list[Part] = [part for part in parts if not isinstance(part, ToolCall | Reasoning)]
        calls = [self._call(part) for part in parts if isinstance(part, ToolCall)]
        thoughts = [part for part in parts if isinstance(part, Reasoning)]
        for thought in thoughts:
            own(thought.opaque, self._aim, self._report)
        message: Wire = {"role": "assistant"} | self._content(spoken).members("")
        if calls:
            thinking = "".join(thought.text for thought in thoughts)
            message |= ({"thinking": thinking} if thinking else {}) | {"tool_calls": calls}
        if message["content"] or len(message) > len(("role", "content")):
            self._written.append(message)

    def _call(self, call: ToolCall) -> Wire:
        own(call.opaque, self._aim, self._report)
        self._names[call.id] = call.name
        return {"id": call.id, "function": {"name": call.name, "arguments": as_object(call.arguments, self._report)}}

    def _result(self, result: ToolResult) -> None:
        if result.cache is not None:
            self._report.no_cache_marks()
        parts: list[Part] = [Text(result.content)] if isinstance(result.content, str) else [*result.content]
        content = self._content(parts)
        self._shown += content.images
        text = "\n".join(content.texts)
        name = self._names.get(result.tool_call_id, "")
        said = {"content": f"Error: {text}" if result.is_error else text}
        self._written.append({"role": "tool", "tool_name": name, "tool_call_id": result.tool_call_id} | said)

    def _flush(self) -> None:
        """Show the images that tools returned."""
        if self._shown:
            words = "Images that belong to the results of the tools:"
            self._written.append({"role": "user", "content": words, "images": self._shown})
            self._shown = []

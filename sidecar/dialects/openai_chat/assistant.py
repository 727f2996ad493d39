"""What the model said, written for the server that is to continue."""

from typing import Final

import msgspec
from msgspec import Raw

from sidecar.dialects.opaque import own, own_as
from sidecar.dialects.openai_chat.parts import PartWriter, Wire, WirePart, content
from sidecar.dialects.tool_arguments import as_object
from sidecar.schema.chat import File, Part, Reasoning, Refusal, Text, ToolCall

FREE_TEXT: Final = b'"custom"'
"""The type of a call whose arguments are any text."""


class Turn:
    """One message of the assistant."""

    def __init__(self, writer: PartWriter) -> None:
        self._writer = writer
        self._aim = writer.aim
        self._report = writer.report
        self._said: list[WirePart] = []
        self._calls: list[Wire] = []
        self._details: list[Raw] = []
        self._thoughts: list[str] = []
        self._audio: Raw | None = None

    def write(self, parts: list[Part]) -> Wire | None:
        """Return the message, or `None` where there is nothing to say: thoughts alone are no answer."""
        for part in parts:
            self._add(part)
        if not self._said and not self._calls and self._audio is None:
            return None
        message: Wire = {"role": "assistant", "content": content(self._said, "")}
        if self._calls:
            message["tool_calls"] = self._calls
            if not self._said:
                message["content"] = None if self._aim.quirks.content_null else ""
        if self._audio is not None:
            message |= {"audio": self._audio}
        return message | self._reasoning()

    def _add(self, part: Part) -> None:
        match part:
            case ToolCall():
                self._calls.append(self._call(part))
            case Reasoning():
                self._think(part)
            case Refusal(text):
                own(part.opaque, self._aim, self._report)
                self._say(Text(text))
            case File() if part.opaque is not None:
                self._audio = own(part.opaque, self._aim, self._report) or self._audio
            case _:
                self._say(part)

    def _say(self, part: Part) -> None:
        written = self._writer.part(part)
        if written is not None:
            self._said.append(written)

    def _think(self, thought: Reasoning) -> None:
        """Take in a thought; what the server signed goes back in its own form: entries, or a part of the content."""
        self._thoughts.append(thought.text)
        signed = own(thought.opaque, self._aim, self._report)
        if signed is None:
            return
        if bytes(signed)[:1] == b"[":
            self._details += msgspec.json.decode(signed, type=list[Raw])
        else:
            self._said.append(signed)

    def _call(self, call: ToolCall) -> Wire:
        extra = own_as(dict[str, Raw], call.opaque, self._aim, self._report) or {}
        id_ = self._writer.call_id(call.id)
        if bytes(extra.get("type", b"")) == FREE_TEXT:
            return {"id": id_, "custom": {"name": call.name, "input": call.arguments}} | extra
        arguments = call.arguments.strip() or "{}"
        if self._aim.quirks.object_arguments:
            arguments = bytes(as_object(arguments, self._report)).decode()
        function = {"name": call.name, "arguments": arguments}
        return {"id": id_, "type": "function", "function": function} | extra

    def _reasoning(self) -> Wire:
        quirks = self._aim.quirks
        if self._details:
            return {"reasoning_details": self._details}
        if not self._calls or quirks.reasoning_echo == "none" or "opaque" in self._aim.lacks:
            return {}
        text = "".join(self._thoughts)
        return {quirks.reasoning_echo: text} if text or quirks.reasoning_echo_required else {}

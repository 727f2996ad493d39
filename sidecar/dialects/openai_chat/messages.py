"""Conversations written: our messages in, the server's out."""

from collections.abc import Iterable
from typing import Final

from sidecar.dialects.contract import Aim
from sidecar.dialects.openai_chat.assistant import Turn
from sidecar.dialects.openai_chat.order import ordered
from sidecar.dialects.openai_chat.parts import PartWriter, Wire, WirePart, content
from sidecar.dialects.report import Report, refuse
from sidecar.schema.chat import File, Message, Part, Text, ToolResult

BRIDGE: Final = "I have the results."
"""What the assistant says where it must speak before the user does."""


class MessageWriter:
    """Writes one conversation.

    Results of tools are text here. Their files follow in a message of the user, after the last result in a row.
    """

    def __init__(self, aim: Aim, report: Report) -> None:
        self._quirks = aim.quirks
        self._report = report
        self._writer = PartWriter(aim, report)
        self._written: list[Wire] = []
        self._files: list[WirePart] = []

    def write(self, messages: list[Message]) -> list[Wire]:
        """Return the messages for the server."""
        for message in ordered(messages, self._quirks, self._report):
            assert not isinstance(message.content, str)
            self._add(message.role, message.content)
        self._flush()
        return self._written

    def _add(self, role: str, parts: list[Part]) -> None:
        if role == "tool":
            self._results(parts)
        elif role == "user":
            # Files of results come first, in the same message: the row of results has ended.
            self._user([*self._files, *self._writer.parts(parts)])
        else:
            self._flush()
            if role == "assistant":
                said = Turn(self._writer).write(parts)
                self._written += [] if said is None else [said]
            else:
                self._instructions(role, parts)

    def _flush(self) -> None:
        if self._files:
            self._user(self._files)

    def _user(self, parts: list[WirePart]) -> None:
        self._files = []
        if self._quirks.order == "bridged" and self._written and self._written[-1]["role"] == "tool":
            self._report.history("The assistant was made to speak between the results of its tools and the user.")
            self._written.append({"role": "assistant", "content": BRIDGE})
        if parts:
            self._written.append({"role": "user", "content": content(parts, None)})

    def _instructions(self, role: str, parts: list[Part]) -> None:
        if not all(isinstance(part, Text) for part in parts):
            raise refuse(f"A message of role `{role}` holds text only.")
        role = role if self._quirks.developer_role else "system"
        self._written.append({"role": role, "content": content(self._writer.parts(parts), "\n\n")})

    def _results(self, parts: Iterable[Part]) -> None:
        for part in parts:
            assert isinstance(part, ToolResult)
            if part.cache is not None:
                self._report.no_cache_marks()
            said = part.content if isinstance(part.content, str) else self._split(part, part.content)
            text = f"Error: {said}" if part.is_error else said
            id_ = self._writer.call_id(part.tool_call_id)
            self._written.append({"role": "tool", "tool_call_id": id_, "content": text})

    def _split(self, result: ToolResult, parts: list[Text | File]) -> str:
        """Return the text of a result, and keep its files for later."""
        files = self._writer.parts(part for part in parts if isinstance(part, File))
        texts = [part.text for part in parts if isinstance(part, Text) and part.text]
        if files:
            label = f"Files that belong to the result of the tool call {self._writer.call_id(result.tool_call_id)}:"
            self._files += [{"type": "text", "text": label}, *files]
            texts = texts or ["The result is in the files that follow."]
        return "\n".join(texts)

"""Conversations written: turns of user and assistant, made of blocks."""

from typing import Any, Final

from msgspec import Raw

from sidecar.dialects.anthropic_messages.caching import Marks
from sidecar.dialects.anthropic_messages.files import file_block
from sidecar.dialects.anthropic_messages.tool_ids import safe_id
from sidecar.dialects.contract import Aim
from sidecar.dialects.history import CONTINUE, Script, Turn
from sidecar.dialects.opaque import own, own_as
from sidecar.dialects.report import Report, refuse
from sidecar.dialects.tool_arguments import as_object
from sidecar.schema.chat import CacheHint, Custom, File, Part, Reasoning, Refusal, Text, ToolCall, ToolResult

FAILED: Final = "The tool failed."
"""What an error says that has no words of its own, as it must."""

ROLE: Final = "role"
CONTENT: Final = "content"

Wire = dict[str, Any]
WireBlock = Wire | Raw


class Writer:
    """Writes one conversation."""

    def __init__(self, aim: Aim, report: Report, marks: Marks) -> None:
        self._aim = aim
        self._report = report
        self._marks = marks

    def instructions(self, script: Script) -> list[Wire]:
        """Return what the model is told before the conversation."""
        return [block for text in script.instructions if (block := self._words(text)) is not None]

    def turns(self, script: Script) -> list[Wire]:
        """Return the turns that say something, the user's first; neighbours of one role are one turn."""
        written: list[Wire] = []
        for turn in script.turns:
            blocks = self._blocks(turn)
            if blocks and written and written[-1][ROLE] == turn.role:
                written[-1][CONTENT] += blocks
            elif blocks:
                written.append({ROLE: turn.role, CONTENT: blocks})
        return written if written and written[0][ROLE] == "user" else [continuation(), *written]

    def _blocks(self, turn: Turn) -> list[WireBlock]:
        write = self._of_assistant if turn.role == "assistant" else self._of_user
        written = [(part, block) for part in turn.parts if (block := write(part)) is not None]
        while written and isinstance(written[-1][0], Reasoning):
            self._report.history("Reasoning that the model said nothing after was left out.")
            written.pop()
        return [block for _, block in written]

    def _of_user(self, part: Part) -> WireBlock | None:
        if isinstance(part, Text):
            return self._words(part)
        if isinstance(part, File):
            return self._marks.mark(self._file(part), part.cache)
        if isinstance(part, ToolResult):
            return self._result(part)
        if isinstance(part, Custom):
            return own(part.opaque, self._aim, self._report)
        raise refuse(f"A part of type `{part.__struct_config__.tag}` cannot be sent in such a message.")

    def _of_assistant(self, part: Part) -> WireBlock | None:
        if isinstance(part, Text):
            return self._spoken(part)
        if isinstance(part, Refusal):
            return self._words(Text(part.text))
        if isinstance(part, ToolCall):
            return self._call(part)
        if isinstance(part, Reasoning | Custom):
            return own(part.opaque, self._aim, self._report)
        self._report.history("A file in an answer of the model cannot go back and was left out.")
        return None

    def _words(self, text: Text) -> Wire | None:
        """Return a block of text, or `None` where there is nothing but blanks, which is refused."""
        if text.opaque is not None:
            self._report.opaque_dropped()
        return self._block(text.text, text.cache)

    def _spoken(self, text: Text) -> Wire | None:
        """Return the model's own text, with what it cites where that must go back."""
        block = own_as(dict[str, Raw], text.opaque, self._aim, self._report)
        return self._block(text.text, text.cache) if block is None else self._marks.mark(dict(block), text.cache)

    def _block(self, text: str, hint: CacheHint | None) -> Wire | None:
        return self._marks.mark({"type": "text", "text": text}, hint) if text.strip() else None

    def _file(self, file: File) -> Wire:
        if file.opaque is not None:
            self._report.opaque_dropped()
        return file_block(file, self._aim.traits)

    def _call(self, call: ToolCall) -> Wire:
        extras = own_as(dict[str, Raw], call.opaque, self._aim, self._report) or {}
        kept = {name: extras[name] for name in ("caller", "toolset_name") if name in extras}
        arguments = as_object(call.arguments, self._report)
        return {"type": "tool_use", "id": safe_id(call.id), "name": call.name, "input": arguments} | kept

    def _result(self, result: ToolResult) -> Wire:
        block: Wire = {"type": "tool_result", "tool_use_id": safe_id(result.tool_call_id)}
        hint = result.cache
        if isinstance(result.content, str):
            content: Any = result.content
        else:
            content = [inner for part in result.content if (inner := self._inner(part)) is not None]
            hint = next((part.cache for part in reversed(result.content) if part.cache), hint)
        if result.is_error:
            block |= {"is_error": True}
            content = content or FAILED
        return self._marks.mark(block | ({CONTENT: content} if content else {}), hint)

    def _inner(self, part: Text | File) -> Wire | None:
        """Return a part of a result; only the result as a whole can be marked."""
        if isinstance(part, File):
            return self._file(part)
        return {"type": "text", "text": part.text} if part.text.strip() else None


def continuation() -> Wire:
    """Return a turn of the user that asks for more."""
    return {ROLE: "user", CONTENT: [{"type": "text", "text": CONTINUE}]}

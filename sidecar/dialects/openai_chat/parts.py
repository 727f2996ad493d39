"""Parts of messages, whoever wrote them."""

from collections.abc import Iterable
from typing import Any

from msgspec import Raw

from sidecar.dialects.contract import Aim
from sidecar.dialects.opaque import own
from sidecar.dialects.openai_chat.caching import cache_control
from sidecar.dialects.openai_chat.files import file_part
from sidecar.dialects.openai_chat.tool_ids import nine_characters
from sidecar.dialects.report import Report, refuse
from sidecar.schema.chat import Custom, File, Part, Text

Wire = dict[str, Any]
WirePart = Wire | Raw


class PartWriter:
    """Writes parts for one target."""

    def __init__(self, aim: Aim, report: Report) -> None:
        self.aim = aim
        self.report = report

    def parts(self, parts: Iterable[Part]) -> list[WirePart]:
        """Return the parts of a message's content that are not empty."""
        return [written for part in parts if (written := self.part(part)) is not None]

    def part(self, part: Part) -> WirePart | None:
        """Return a part of a message's content, or `None` for an empty one."""
        match part:
            case Text(text):
                own(part.opaque, self.aim, self.report)
                mark = cache_control(part.cache, self.aim, self.report)
                return {"type": "text", "text": text} | mark if text else None
            case File():
                own(part.opaque, self.aim, self.report)
                return file_part(part, self.aim) | cache_control(part.cache, self.aim, self.report)
            case Custom(opaque):
                return own(opaque, self.aim, self.report)
            case _:
                kind = part.__struct_config__.tag
                raise refuse(f"A part of type `{kind}` cannot be sent in such a message.")

    def call_id(self, call_id: str) -> str:
        """Return the id of a tool call in the form that the server takes."""
        return nine_characters(call_id) if self.aim.quirks.nine_character_ids else call_id


def content(parts: list[WirePart], joint: str | None) -> str | list[WirePart]:
    """Return a string where the parts are mere text; several are joined with `joint`, if one is given."""
    texts = [part["text"] for part in parts if isinstance(part, dict) and part.keys() == {"type", "text"}]
    if len(texts) == len(parts) and (joint is not None or len(parts) <= 1):
        return (joint or "").join(texts)
    return parts

"""`reasoning_details`: what must go back unchanged with the next request, put together from a stream's fragments."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from sidecar.schema.chat import Opaque, Origin, Reasoning

TEXT_FIELDS: Final = {"reasoning.text": "text", "reasoning.summary": "summary"}
"""Which field of an entry grows from fragment to fragment. Entries of other types come whole."""


class _Entry(Struct):
    fields: dict[str, Any]
    text_field: str
    pieces: list[str]


class ReasoningDetails:
    """Collects the entries of one answer."""

    __slots__ = ("_entries", "_growing")

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._growing: dict[tuple[Any, Any], _Entry] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, fragments: list[dict[str, Any]]) -> None:
        """Take in entries, or fragments of entries that share their type and index."""
        for fragment in fragments:
            key = (str(fragment.get("type")), str(fragment.get("index")))
            entry = self._growing.get(key)
            if entry is not None and _same(entry.fields.get("id"), fragment.get("id")):
                _grow(entry, fragment)
            else:
                self._begin(key, fragment)

    def part(self, text: str, origin: Origin) -> Reasoning:
        """Return the reasoning with the entries as its opaque data."""
        details = [_whole(entry) for entry in self._entries]
        opaque = Opaque(msgspec.json.encode(details).decode(), origin)
        if not text:
            return Reasoning("", "redacted", opaque)
        summarised = not any(entry.fields.get("type") == "reasoning.text" for entry in self._entries)
        return Reasoning(text, "summary" if summarised else "full", opaque)

    def _begin(self, key: tuple[str, str], fragment: dict[str, Any]) -> None:
        text_field = TEXT_FIELDS.get(key[0], "")
        text = fragment.get(text_field)
        entry = _Entry(fragment, text_field, [text] if isinstance(text, str) else [])
        self._entries.append(entry)
        if text_field:
            self._growing[key] = entry


def signed(text: str, signature: str, origin: Origin) -> Reasoning:
    """Return thoughts that are parts of the content, with the signature that must go back with them."""
    chunk = {"type": "thinking", "thinking": [{"type": "text", "text": text}], "signature": signature, "closed": True}
    return Reasoning(text, opaque=Opaque(msgspec.json.encode(chunk).decode(), origin))


def text_of(fragments: list[dict[str, Any]]) -> str:
    """Return the words in the fragments."""
    texts = (fragment.get(TEXT_FIELDS.get(str(fragment.get("type")), "")) for fragment in fragments)
    return "".join(text for text in texts if isinstance(text, str))


def _same(one: object, other: object) -> bool:
    return one is None or other is None or one == other


def _grow(entry: _Entry, fragment: dict[str, Any]) -> None:
    text = fragment.get(entry.text_field)
    if isinstance(text, str):
        entry.pieces.append(text)
    known = {name: value for name, value in fragment.items() if value is not None and name != entry.text_field}
    entry.fields = entry.fields | known


def _whole(entry: _Entry) -> dict[str, Any]:
    return entry.fields | ({entry.text_field: "".join(entry.pieces)} if entry.pieces else {})

"""Conversations written: our messages in, the server's contents out. https://ai.google.dev/api/caching#Content"""

import re
from collections.abc import Iterable
from typing import Any, Final

from msgspec import Raw

from sidecar.dialects.contract import Aim
from sidecar.dialects.files import base64_of, kind_of, media_type, readable, words_of
from sidecar.dialects.history import Turn, script
from sidecar.dialects.opaque import own, own_as
from sidecar.dialects.report import Report, refuse
from sidecar.dialects.tool_arguments import is_object
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
    UrlSource,
)

UNVERIFIED: Final = "skip_thought_signature_validator"
"""The signature of calls that another model made. https://ai.google.dev/gemini-api/docs/thought-signatures"""

NOTES: Final = frozenset({"groundingMetadata", "urlContextMetadata"})
"""What stands beside an answer and is not sent back."""

FETCHED: Final = (
    r"https://generativelanguage\.googleapis\.com/\w+/files/[\w-]+|gs://.+|https://(?:www\.)?youtube\.com/watch\?.+"
    r"|https://youtu\.be/.+"
)
"""Addresses that the server reads files from."""

IN_RESULTS: Final = frozenset({"image", "document"})
"""Kinds of files that may be part of a tool's result."""

Wire = dict[str, Any]
WirePart = Wire | Raw


class ConversationWriter:
    """Writes one conversation."""

    def __init__(self, aim: Aim, report: Report) -> None:
        self._aim = aim
        self._report = report
        self._names: dict[str, str] = {}
        self._unsigned = False

    def write(self, messages: Iterable[Message]) -> Wire:
        """Return the members of a request that hold the conversation."""
        found = script(messages, self._report)
        for text in found.instructions:
            self._cached(text.cache)
        contents: list[Wire] = []
        for turn in found.turns:
            role = "model" if turn.role == "assistant" else "user"
            parts = self._turn(turn)
            if contents and contents[-1]["role"] == role:
                contents[-1]["parts"] += parts
            elif parts:
                contents.append({"role": role, "parts": parts})
        told = [{"text": text.text} for text in found.instructions if text.text]
        return ({"systemInstruction": {"parts": told}} if told else {}) | {"contents": contents}

    def _turn(self, turn: Turn) -> list[WirePart]:
        # The first call of a turn must be signed, where any must.
        self._unsigned = self._aim.traits.signed_calls or "opaque" in self._aim.lacks
        written: list[WirePart] = []
        files: list[WirePart] = []
        for part in turn.parts:
            if isinstance(part, ToolResult):
                written.append(self._result(part, files))
            else:
                # Files of results follow the last of them: no part may come between results.
                written += files
                files.clear()
                written += self._part(part)
        return [*written, *files]

    def _part(self, part: Part) -> list[WirePart]:
        match part:
            case Text() | Refusal():
                return self._text(part)
            case File():
                self._cached(part.cache)
                return [self._file(part) | self._signature(part.opaque)]
            case ToolCall():
                return [self._call(part)]
            case Reasoning():
                signature = self._signature(part.opaque)
                return [{"text": part.text, "thought": True} | signature] if signature else []
            case Custom():
                return self._custom(part.opaque)
            case ToolResult():
                return []

    def _text(self, part: Text | Refusal) -> list[WirePart]:
        if isinstance(part, Text):
            self._cached(part.cache)
        signature = self._signature(part.opaque)
        return [{"text": part.text} | signature] if part.text or signature else []

    def _call(self, call: ToolCall) -> Wire:
        self._names[call.id] = call.name
        signature = self._signature(call.opaque)
        if not signature and self._unsigned:
            signature = {"thoughtSignature": UNVERIFIED}
        self._unsigned = False
        return {"functionCall": {"id": call.id, "name": call.name, "args": self._arguments(call)}} | signature

    def _arguments(self, call: ToolCall) -> Raw | Wire:
        text = call.arguments.strip()
        if not text or is_object(text):
            return Raw(text.encode() or b"{}")
        self._report.history("The arguments of a tool call that are no JSON object were sent as words.")
        return {"arguments": call.arguments}

    def _result(self, result: ToolResult, rest: list[WirePart]) -> Wire:
        """Return the result; its files that cannot be part of it are added to `rest`."""
        self._cached(result.cache)
        parts: list[Text | File] = [Text(result.content)] if isinstance(result.content, str) else result.content
        texts = [words_of(part) if isinstance(part, File) else part.text for part in parts if _is_words(part)]
        files = [part for part in parts if isinstance(part, File) and not _is_words(part)]
        inside = [self._file(file) for file in files if self._fits(file)]
        outside = [self._file(file) for file in files if not self._fits(file)]
        if outside:
            label = f"Files that belong to the result of the tool call {result.tool_call_id}:"
            rest += [{"text": label}, *outside]
            texts = texts or ["The result is in the files that follow."]
        response: Wire = {
            "id": result.tool_call_id,
            "name": self._names[result.tool_call_id],
            "response": _response("\n".join(text for text in texts if text), result),
        }
        return {"functionResponse": response | ({"parts": inside} if inside else {})}

    def _fits(self, file: File) -> bool:
        return self._aim.traits.files_in_results and kind_of(file) in IN_RESULTS

    def _file(self, file: File) -> Wire:
        kind = readable(file, self._aim.traits)
        if isinstance(file.source, UrlSource):
            return {"fileData": {"mimeType": media_type(file), "fileUri": self._address(file.source.url)}}
        if kind == "text":
            return {"text": words_of(file)}
        return {"inlineData": {"mimeType": media_type(file), "data": base64_of(file)}}

    def _address(self, url: str) -> str:
        if url.startswith(f"{self._aim.origin.endpoint.rstrip('/')}/files/") or re.fullmatch(FETCHED, url):
            return url
        raise refuse("The provider fetches files from its own storage only; send the file as data.")

    def _custom(self, opaque: Opaque) -> list[WirePart]:
        members = own_as(dict[str, Raw], opaque, self._aim, self._report)
        return [Raw(opaque.data.encode())] if members and not members.keys() <= NOTES else []

    def _signature(self, opaque: Opaque | None) -> Wire:
        signature = own(opaque, self._aim, self._report)
        return {} if signature is None else {"thoughtSignature": signature}

    def _cached(self, cache: CacheHint | None) -> None:
        if cache is not None:
            self._report.no_cache_marks()


def _is_words(part: Text | File) -> bool:
    return isinstance(part, Text) or (kind_of(part) == "text" and not isinstance(part.source, UrlSource))


def _response(text: str, result: ToolResult) -> Wire | Raw:
    """Return what a tool said as the object that the server wants."""
    if result.is_error:
        return {"error": text}
    return Raw(text.encode()) if is_object(text) else {"output": text}

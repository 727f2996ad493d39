"""Any conversation is written so that the provider takes it, and nothing that was said is lost."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import chat_rules
import pytest
import wire_rules
from aimed import TARGETS
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import Raw
from provider_wires import WIRES
from recorded import Played

from sidecar.dialects.traits import FileKind
from sidecar.schema.chat import (
    Base64Source,
    ChatRequest,
    Custom,
    File,
    FunctionTool,
    JsonFormat,
    JsonSchemaFormat,
    Message,
    Opaque,
    Origin,
    Part,
    Reasoning,
    ReasoningOptions,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    UrlSource,
)
from sidecar.schema.citations import UrlCitation
from sidecar.schema.errors import SidecarError

FOREIGN = Opaque('{"secret":"foreign-data"}', Origin("elsewhere", "https://elsewhere.test", "other"))
IDS = ("a", "b", "call_1", "call:1/é", "", "x" * 100, "toolu_1", "a_2")
ARGUMENTS = ("{}", "", '{"city":"Paris"}', '{"city":', "[1]", "null", '"x"', "  ")
RULES: dict[str, wire_rules.Rules] = {
    "openai-responses-gpt-6-sol": wire_rules.responses,
    "anthropic-claude-sonnet-5-5": wire_rules.anthropic,
    "anthropic-claude-haiku-4-5": wire_rules.anthropic_4_5,
    "google-gemini-3.8-flash": wire_rules.gemini_3,
    "google-gemini-2.5-flash": wire_rules.gemini,
    "mistral-large-4": chat_rules.mistral,
    "ollama-qwen3": chat_rules.ollama,
    "ollama-native-qwen3": chat_rules.ollama_native,
}
"""Whose rules count; those of Chat Completions for all others."""

FILES: dict[FileKind, File] = {
    "image": File("image/png", Base64Source(Raw(b'"cG5n"'))),
    "text": File("text/csv", Base64Source(Raw(b'"YSxi"')), filename="a.csv"),
}

words = st.integers(0, 99).map(lambda number: f"word{number:02}.")
texts = st.one_of(words, words, st.sampled_from(["", " ", "\n", "é\U0001f600"]))
foreign = st.sampled_from([None, None, FOREIGN])
ids = st.sampled_from(IDS)
citations = st.sampled_from([[], [UrlCitation("https://llm.test/a", "A", "quoted", 0, 3)]])


@cache
def own_parts(name: str) -> tuple[Part, ...]:
    """Return the answer of the model itself, with all that must go back to it."""
    target = TARGETS[name]
    request = ChatRequest(messages=[], **target.options)
    native = "context_size" in target.options
    wire = next(
        wire
        for wire in WIRES.values()
        if wire.config == {"provider": target.provider, **target.config} and ("context_size" in wire.options) == native
    )
    content = Played(target.dialect(request), [wire.calls], target.aim()).transcript.message().content
    assert not isinstance(content, str)
    return tuple(content)


def spoken(name: str) -> st.SearchStrategy[Message]:
    """Return turns of the assistant, its own or another's, whole or broken off."""
    part = st.one_of(
        st.builds(Text, texts, citations, opaque=foreign),
        st.builds(Reasoning, texts, st.sampled_from(["full", "summary", "redacted"]), foreign),
        st.builds(ToolCall, ids, st.sampled_from(["weather", "time"]), st.sampled_from(ARGUMENTS), foreign),
        st.builds(Refusal, texts, foreign),
        st.just(Custom(FOREIGN)),
    )
    own = st.integers(0, len(own_parts(name))).map(lambda size: list(own_parts(name)[:size]))
    mixed = st.lists(part, max_size=5)
    content: Any = st.one_of(texts, mixed, own, st.tuples(own, mixed).map(lambda both: both[0] + both[1]))
    return st.builds(
        Message, st.just("assistant"), content, st.sampled_from([None, FOREIGN.origin, TARGETS[name].origin])
    )


def told(name: str) -> st.SearchStrategy[Message]:
    """Return turns of everybody else."""
    kinds = TARGETS[name].aim().traits.files
    files = st.sampled_from([file for kind, file in FILES.items() if kinds is None or kind in kinds] or [FILES["text"]])
    own_ids = st.sampled_from([part.id for part in own_parts(name) if isinstance(part, ToolCall)] or ["a"])
    inner: Any = st.one_of(texts, st.lists(st.one_of(st.builds(Text, texts), files), max_size=3))
    result = st.builds(ToolResult, st.one_of(ids, own_ids), inner, st.booleans())
    said: Any = st.one_of(texts, st.lists(st.one_of(st.builds(Text, texts), files, result), max_size=3))
    instructions: Any = st.one_of(texts, st.lists(st.builds(Text, texts), max_size=2))
    return st.one_of(
        st.builds(Message, st.just("user"), said),
        st.builds(Message, st.sampled_from(["system", "developer"]), instructions),
        st.builds(Message, st.just("tool"), st.lists(result, max_size=3)),
    )


OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"tools": [FunctionTool("weather")]},
    {"tools": [FunctionTool("weather")], "tool_choice": "required", "reasoning": ReasoningOptions("high")},
    {"reasoning": ReasoningOptions("low"), "response_format": JsonFormat()},
    {"response_format": JsonSchemaFormat({"type": "object"}), "max_tokens": 100},
)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)


def said_in(message: Message) -> Iterator[str]:
    """Return the words of a message that no provider may miss."""
    for part in message.content:
        if isinstance(part, str | Text | Refusal):
            yield part if isinstance(part, str) else part.text
        elif isinstance(part, ToolResult):
            yield from said_in(Message("tool", part.content))  # type: ignore[arg-type]
        elif isinstance(part, ToolCall):
            yield part.name


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=50)
@given(st.data())
def test_any_conversation_is_one_that_the_provider_takes(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    messages = data.draw(st.lists(st.one_of(spoken(name), told(name)), max_size=7))
    assume(any(text.strip() for message in messages for text in said_in(message)))
    options = data.draw(st.sampled_from(OPTIONS))
    request = ChatRequest(messages=messages, **(options | target.options))
    encoded = target.dialect(request).encode_request(request, target.aim()).body
    body = json.loads(encoded)
    assert RULES.get(name, chat_rules.chat)(body) == []
    assert b"foreign-data" not in encoded
    sent = "\n".join(strings(body))
    missing = [text for message in messages for text in said_in(message) if text.strip() not in sent]
    assert missing == []


MISPLACED: tuple[Part, ...] = (
    Text("said"),
    *FILES.values(),
    File("image/png", UrlSource("https://llm.test/a.png")),
    File("application/zip", Base64Source(Raw(b'"cG5n"'))),
    File("application/pdf", UrlSource("https://llm.test/a.pdf")),
    File("audio/wav", Base64Source(Raw(b'"cG5n"'))),
    Reasoning("thought"),
    ToolCall("a", "weather", "{}"),
    ToolResult("a", [FILES["image"]]),
    Refusal("no"),
    Custom(FOREIGN),
)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=40)
@given(st.data())
def test_what_cannot_be_carried_is_refused_in_words(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    own = Opaque(data.draw(st.sampled_from(["1", "[]", '"x"', "{}", '{"type":"new"}', "{"])), target.origin)
    odd: tuple[Part, ...] = (
        Reasoning("", opaque=own),
        Custom(own),
        ToolCall("b", "time", "{}", own),
        Text("", opaque=own),
    )
    roles: Any = st.sampled_from(["system", "developer", "user", "assistant", "tool"])
    contents: Any = st.lists(st.sampled_from([*MISPLACED, *odd]), min_size=1, max_size=3)
    messages = data.draw(st.lists(st.builds(Message, roles, contents), max_size=4))
    request = ChatRequest(messages=messages, **target.options)
    error = refusal_of(name, request)
    assert error is None or error.type in {"unsupported_feature", "invalid_params"}
    assert error is None or error.message.endswith((".", "!", "?"))


def refusal_of(name: str, request: ChatRequest) -> SidecarError | None:
    """Return why a request cannot be written, if it cannot."""
    target = TARGETS[name]
    try:
        encoded = target.dialect(request).encode_request(request, target.aim())
    except SidecarError as error:
        return error
    json.loads(encoded.body)
    return None

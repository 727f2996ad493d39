"""How much a model is asked to think, and what follows from that."""

import json
from typing import Any

import pytest
from msgspec.structs import replace
from recorded import AIM, ORIGIN

from sidecar.dialects.anthropic_messages import DIALECT
from sidecar.dialects.traits import UNKNOWN
from sidecar.providers.anthropic_models import traits_of
from sidecar.schema.chat import (
    ChatRequest,
    FunctionTool,
    Message,
    Opaque,
    Origin,
    Reasoning,
    ReasoningOptions,
    ToolCall,
    ToolResult,
)

Json = dict[str, Any]

HELLO = Message("user", "Hello")
ADAPTIVE = {"type": "adaptive", "display": "summarized"}
FIELDS = ("max_tokens", "thinking", "output_config", "temperature", "top_p", "top_k", "tool_choice")


def sent(model: str, lacks: frozenset[str] = frozenset(), **options: Any) -> tuple[Json, list[str | None]]:
    """Return the members of the body that thinking has a part in, and the parameters warned of."""
    traits = traits_of(model) if model else UNKNOWN
    request = ChatRequest(**({"messages": [HELLO]} | options))
    encoded = DIALECT.encode_request(request, replace(AIM, traits=traits, lacks=lacks))
    body = json.loads(encoded.body)
    return {name: body[name] for name in FIELDS if name in body}, [warning.param for warning in encoded.warnings]


def effort(level: Any) -> Json:
    return {"reasoning": ReasoningOptions(level)}


def budget(tokens: int) -> Json:
    return {"reasoning": ReasoningOptions(None, tokens)}


def enabled(tokens: int) -> Json:
    return {"type": "enabled", "budget_tokens": tokens, "display": "summarized"}


@pytest.mark.parametrize(
    ("model", "options", "body", "warned"),
    [
        ("claude-opus-5-5", {}, {"max_tokens": 32_000, "thinking": ADAPTIVE}, []),
        ("claude-opus-5", {}, {"max_tokens": 32_000}, []),
        ("claude-haiku-4-5", {}, {"max_tokens": 32_000}, []),
        (
            "claude-opus-5-5",
            effort("medium"),
            {"max_tokens": 40_192, "thinking": ADAPTIVE, "output_config": {"effort": "medium"}},
            [],
        ),
        (
            "claude-opus-5-5",
            effort("none"),
            {"max_tokens": 34_048, "thinking": ADAPTIVE, "output_config": {"effort": "low"}},
            ["reasoning.effort"],
        ),
        ("claude-sonnet-5-5", effort("minimal"), {"max_tokens": 32_000, "thinking": {"type": "between_tools"}}, []),
        (
            "claude-sonnet-5-5",
            effort("none"),
            {"max_tokens": 32_000, "thinking": {"type": "between_tools"}},
            ["reasoning.effort"],
        ),
        ("claude-haiku-5-5", effort("none"), {"max_tokens": 32_000, "thinking": {"type": "disabled"}}, []),
        (
            "claude-haiku-5-5",
            budget(9_000),
            {"max_tokens": 40_192, "thinking": ADAPTIVE, "output_config": {"effort": "medium"}},
            ["reasoning.budget_tokens"],
        ),
        ("claude-opus-4-8", budget(9_000), {"max_tokens": 41_000, "thinking": enabled(9_000)}, []),
        (
            "claude-sonnet-4-6",
            effort("xhigh"),
            {"max_tokens": 56_576, "thinking": ADAPTIVE, "output_config": {"effort": "high"}},
            ["reasoning.effort"],
        ),
        ("claude-haiku-4-5", effort("medium"), {"max_tokens": 40_192, "thinking": enabled(8_192)}, []),
        ("claude-haiku-4-5", effort("max"), {"max_tokens": 64_000, "thinking": enabled(56_000)}, []),
        ("claude-haiku-4-5", effort("none"), {"max_tokens": 32_000, "thinking": {"type": "disabled"}}, []),
        ("claude-haiku-4-5", budget(0), {"max_tokens": 32_000, "thinking": {"type": "disabled"}}, []),
        (
            "claude-haiku-4-5",
            budget(10),
            {"max_tokens": 33_024, "thinking": enabled(1024)},
            ["reasoning.budget_tokens"],
        ),
        ("", effort("low"), {"max_tokens": 10_240, "thinking": ADAPTIVE, "output_config": {"effort": "low"}}, []),
        (
            "",
            {"reasoning": ReasoningOptions("high", 2_000)},
            {"max_tokens": 10_192, "thinking": enabled(2_000), "output_config": {"effort": "high"}},
            [],
        ),
    ],
)
def test_each_model_is_asked_in_its_own_way(model: str, options: Json, body: Json, warned: list[str]) -> None:
    assert sent(model, **options) == (body, warned)


@pytest.mark.parametrize(
    ("max_tokens", "thinking", "warned"),
    [
        (8_000, enabled(4_000), ["reasoning.budget_tokens"]),
        (1_500, enabled(1_024), ["reasoning.budget_tokens"]),
        (1_024, None, ["reasoning"]),
        (8_193, enabled(8_192), []),
    ],
)
def test_a_budget_stays_below_the_length_of_the_answer(max_tokens: int, thinking: Any, warned: list[str]) -> None:
    body, params = sent("claude-haiku-4-5", max_tokens=max_tokens, **effort("medium"))
    assert (body.get("thinking"), params) == (thinking, warned)
    assert body["max_tokens"] == max_tokens


def test_a_model_that_thinks_is_not_told_how_to_choose_its_words() -> None:
    sampling = {"temperature": 0.5, "top_k": 4}
    body, warned = sent("claude-haiku-4-5", **sampling, **effort("low"))
    assert (body, warned) == ({"max_tokens": 34_048, "thinking": enabled(2_048)}, ["temperature", "top_k"])
    body, warned = sent("claude-haiku-4-5", temperature=1, **effort("low"))
    assert (body["temperature"], warned) == (1.0, [])
    body, warned = sent("claude-haiku-4-5", top_p=0.95, **effort("low"))
    assert (body["top_p"], warned) == (0.95, [])
    body, warned = sent("claude-haiku-4-5", **sampling, **effort("none"))
    assert (body["temperature"], body["top_k"], warned) == (0.5, 4, [])


def test_a_model_that_must_call_a_tool_is_not_asked_to_think() -> None:
    must = {"tools": [FunctionTool("f")], "tool_choice": "required"}
    any_tool = {"max_tokens": 34_048, "tool_choice": {"type": "any"}}
    assert sent("claude-haiku-4-5", **must, **effort("low")) == (any_tool, ["reasoning"])
    assert sent("claude-fable-5", **must) == (any_tool | {"max_tokens": 32_000}, [])


def test_a_model_that_was_found_not_to_think_is_not_asked_to() -> None:
    body, warned = sent("claude-opus-5-5", frozenset({"reasoning"}), **effort("high"))
    assert (body, warned) == ({"max_tokens": 32_000}, ["reasoning"])


def called(*thoughts: Reasoning) -> list[Message]:
    call = ToolCall("t", "f", "{}")
    return [HELLO, Message("assistant", [*thoughts, call]), Message("tool", [ToolResult("t", "18")])]


def test_a_model_does_not_go_on_thinking_without_what_it_thought() -> None:
    own = Reasoning("Hm.", "summary", Opaque('{"type":"thinking","thinking":"Hm.","signature":"s"}', ORIGIN))
    foreign = Reasoning("Hm.", "full", Opaque("{}", Origin("there", "x", "y")))
    assert sent("claude-haiku-4-5", messages=called(own), **effort("low"))[0]["thinking"] == enabled(2_048)
    body, warned = sent("claude-haiku-4-5", messages=called(foreign), **effort("low"))
    assert (body, warned) == ({"max_tokens": 34_048}, ["messages", "reasoning"])
    body, warned = sent("claude-opus-5-5", messages=called(foreign), **effort("low"))
    assert (body["thinking"], warned) == (ADAPTIVE, ["messages"])

from typing import Any

import pytest

from sidecar.dialects.contract import Aim
from sidecar.dialects.fitting import OPTIONS, fit
from sidecar.dialects.report import Report
from sidecar.dialects.traits import UNKNOWN
from sidecar.providers import PROVIDERS
from sidecar.providers.openai import OpenAIConfig
from sidecar.providers.openai_models import LOW, MAX, SIGHT, XHIGH, on_chat, on_responses
from sidecar.schema.chat import ChatRequest, FunctionTool, Message, Origin, ReasoningOptions
from sidecar.schema.errors import SidecarError

RECORD = PROVIDERS["openai"]


@pytest.mark.parametrize(
    ("config", "dialect"),
    [
        (OpenAIConfig(), "openai_responses"),
        (OpenAIConfig(base_url="https://gateway.example/v1"), "openai_responses"),
        (OpenAIConfig(api="chat"), "openai_chat"),
    ],
)
def test_responses_are_spoken_unless_chat_is_asked_for(config: OpenAIConfig, dialect: str) -> None:
    assert RECORD.speaks(config, ChatRequest(messages=[Message("user", "hi")])) == dialect
    assert RECORD.speaks(config) == dialect


@pytest.mark.parametrize(
    ("model", "efforts", "default", "sampling"),
    [
        ("gpt-6.2-astra", MAX, "medium", "unless_reasoning"),
        ("gpt-6.1-sol-2026-09-01", MAX, "medium", "unless_reasoning"),
        ("gpt-6-sol", ("none", *MAX), "medium", "unless_reasoning"),
        ("gpt-6.1-terra", ("none", *MAX), "medium", "unless_reasoning"),
        ("gpt-5.6", ("none", *MAX), "medium", "unless_reasoning"),
        ("gpt-5.6-luna", ("none", *MAX), "medium", "unless_reasoning"),
        ("gpt-5.5-pro", ("medium", "high", "xhigh"), "medium", "unless_reasoning"),
        ("gpt-5.4-nano-2026-03-17", ("none", *XHIGH), "none", "unless_reasoning"),
        ("gpt-5.3-codex", XHIGH, "medium", "unless_reasoning"),
        ("gpt-5.1", ("none", *LOW), "none", "unless_reasoning"),
        ("gpt-5.1-codex-mini", LOW, "medium", "unless_reasoning"),
        ("gpt-5-mini-2025-08-07", ("minimal", *LOW), "medium", "unless_reasoning"),
        ("gpt-5-pro", ("high",), "medium", "unless_reasoning"),
        ("gpt-5-chat-latest", (), None, "free"),
        ("o4-mini", LOW, "medium", "unless_reasoning"),
        ("o3-deep-research", ("medium",), "medium", "unless_reasoning"),
        ("gpt-4o-mini", (), None, "free"),
        ("ft:gpt-4.1-2025-04-14:org::id", (), None, "free"),
        ("openai/GPT-5.2", ("none", *XHIGH), "none", "unless_reasoning"),
        ("gpt-4o-search-preview", (), None, "never"),
    ],
)
def test_a_model_takes_what_its_family_takes(model: str, efforts: Any, default: Any, sampling: str) -> None:
    traits = on_responses(model)
    assert (traits.efforts, traits.default_effort, traits.sampling) == (efforts, default, sampling)
    assert RECORD.traits(OpenAIConfig(), model) == traits


@pytest.mark.parametrize("model", ["gpt-7", "gpt-5.77", "gpt-oss-120b", "my-model", "o11", "pseudo1", ""])
def test_nothing_is_known_of_other_models(model: str) -> None:
    assert on_responses(model) == on_chat(model) == UNKNOWN


def test_models_differ_in_files_and_lengths_and_schemas() -> None:
    assert (on_responses("gpt-6-sol").files, on_responses("o3-mini").files) == (SIGHT, frozenset())
    assert [on_responses(m).max_output_tokens for m in ("gpt-5-pro", "gpt-4o", "o3", "gpt-6-sol")] == [
        272_000,
        16_384,
        100_000,
        None,
    ]
    assert [on_responses(m).structured for m in ("gpt-4o", "gpt-4o-2024-05-13", "gpt-35-turbo")] == [
        "native",
        "tool",
        "tool",
    ]
    assert [on_responses(m).cache_marks for m in ("gpt-5.6-sol", "gpt-5.5")] == [True, False]


@pytest.mark.parametrize(
    ("model", "efforts", "together"),
    [
        ("gpt-6.1-sol", XHIGH, False),
        ("gpt-5.6-sol", ("none", *XHIGH), False),
        ("gpt-5.5", ("none", *XHIGH), False),
        ("gpt-5.2", ("none", *XHIGH), True),
        ("gpt-4o", (), True),
    ],
)
def test_chat_completions_knows_less_of_reasoning(model: str, efforts: Any, together: bool) -> None:  # noqa: FBT001
    traits = RECORD.traits(OpenAIConfig(api="chat"), model)
    assert (traits.efforts, traits.reasons_with_tools) == (efforts, together)
    assert on_responses(model).reasons_with_tools


def test_tokens_are_counted_and_answers_neither_kept_nor_padded() -> None:
    quirks = RECORD.quirks
    assert (quirks.counts_input, quirks.storage, quirks.obfuscation, quirks.developer_role) == (True, True, True, True)


def fitted(
    model: str, api: Any, wanted: ReasoningOptions | None = None, **options: Any
) -> tuple[Any, list[str | None]]:
    """Return what becomes of the wish to reason beside tools, and what is told of it."""
    config = OpenAIConfig(api=api)
    origin = Origin("openai", "https://api.openai.com/v1", model)
    traits = RECORD.traits(config, model)
    aim = Aim(provider="openai", kind="openai", model=model, origin=origin, quirks=RECORD.quirks, traits=traits)
    report = Report("warn")
    request = ChatRequest(messages=[Message("user", "hi")], tools=[FunctionTool("f")], reasoning=wanted, **options)
    found = fit(request, aim, report, OPTIONS).request
    return found, [warning.param for warning in report.warnings]


@pytest.mark.parametrize("model", ["gpt-5.5", "gpt-5.6-sol", "gpt-6-luna"])
def test_reasoning_is_turned_off_beside_tools_where_chat_completions_cannot_have_both(model: str) -> None:
    request, told = fitted(model, "chat", temperature=0.5)
    assert (request.reasoning, request.temperature, told) == (ReasoningOptions("none"), 0.5, [])
    request, told = fitted(model, "chat", ReasoningOptions("high"))
    assert (request.reasoning, told) == (ReasoningOptions("none"), ["reasoning.effort"])
    request, told = fitted(model, "responses", ReasoningOptions("high"))
    assert (request.reasoning, told) == (ReasoningOptions("high"), [])


def test_a_model_that_cannot_stop_reasoning_takes_no_tools_by_chat_completions() -> None:
    with pytest.raises(SidecarError) as raised:
        fitted("gpt-6.1-sol", "chat")
    assert raised.value.type == "unsupported_feature"
    assert fitted("gpt-6.1-sol", "responses")[1] == []
    assert fitted("gpt-5.2", "chat", ReasoningOptions("low"))[0].reasoning == ReasoningOptions("low")

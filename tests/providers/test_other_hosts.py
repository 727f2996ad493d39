"""Hosts of a few lines each: Cerebras, Fireworks, Perplexity, Together, and any compatible server."""

import json
from typing import Any

import pytest
from asked import TOOL, TOOL_TURNS, WIRE_TOOL, ask, models_url, target_of
from chat_dialect import delta

from sidecar.dialects.openai_chat import DIALECT
from sidecar.engines.http import _aim
from sidecar.framing.frame import Frame
from sidecar.providers.cerebras import CerebrasConfig
from sidecar.providers.fireworks import FireworksConfig
from sidecar.providers.openai_compatible import CompatibleConfig
from sidecar.providers.perplexity import PerplexityConfig
from sidecar.providers.together import TogetherConfig
from sidecar.schema.chat import FinishReason, JsonFormat, Message, ReasoningOptions, Text
from sidecar.schema.citations import UrlCitation
from sidecar.schema.events import PartDelta, ReasoningDelta, TextDelta, UsageDelta
from sidecar.schema.providers import BaseConfig


@pytest.mark.parametrize(
    ("config", "chat", "models"),
    [
        (CerebrasConfig(), "https://api.cerebras.ai/v1/chat/completions", "https://api.cerebras.ai/v1/models"),
        (
            FireworksConfig(),
            "https://api.fireworks.ai/inference/v1/chat/completions",
            "https://api.fireworks.ai/inference/v1/models",
        ),
        (PerplexityConfig(), "https://api.perplexity.ai/chat/completions", "https://api.perplexity.ai/v1/models"),
        (TogetherConfig(), "https://api.together.xyz/v1/chat/completions", "https://api.together.xyz/v1/models"),
        (
            CompatibleConfig(base_url="https://llm.test/v1/"),
            "https://llm.test/v1/chat/completions",
            "https://llm.test/v1/models",
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, BaseConfig) else None,
)
def test_where_questions_go(config: BaseConfig, chat: str, models: str) -> None:
    assert ask(config).url == chat
    assert models_url(config) == models


def test_cerebras_takes_no_penalties() -> None:
    asked = ask(CerebrasConfig(), max_tokens=9, frequency_penalty=1.0, tools=[TOOL], reasoning=ReasoningOptions("low"))
    assert asked.added == {"max_completion_tokens": 9, "tools": [WIRE_TOOL], "reasoning_effort": "low"}
    assert asked.warned == ["frequency_penalty"]


def test_fireworks_reads_thoughts_with_their_tool_calls() -> None:
    asked = ask(FireworksConfig(), messages=TOOL_TURNS, top_k=3)
    assert asked.body["messages"][1]["reasoning_content"] == "Hm"
    assert asked.added == {"top_k": 3}


def test_perplexity_has_no_tools_and_no_form_but_a_schema() -> None:
    asked = ask(
        PerplexityConfig(),
        messages=[*TOOL_TURNS, Message("user", "And?")],
        tools=[TOOL],
        seed=1,
        reasoning=ReasoningOptions("high"),
        response_format=JsonFormat(),
    )
    assert asked.added == {}
    assert "stream_options" not in asked.body
    assert [message["role"] for message in asked.body["messages"]] == ["system", "user", "assistant", "user"]
    assert sorted(map(str, asked.warned)) == ["messages", "reasoning", "seed", "tools"]
    researching = ask(PerplexityConfig(), reasoning=ReasoningOptions("high"), model="sonar-deep-research")
    assert researching.added == {"reasoning_effort": "high"}


def test_perplexity_tells_its_sources_and_its_price() -> None:
    config = PerplexityConfig()
    decoder = DIALECT.decode_stream(_aim(target_of(config)))
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "cost": {"request_cost": 0.005, "total_cost": 0.0061}}
    beside = {
        "citations": ["https://a.test"],
        "search_results": [{"title": "A", "url": "https://a.test"}],
        "usage": usage,
    }
    events: list[Any] = []
    for chunk in (delta(content="<think>Hm</think>\n\nYes [1].") | beside, delta("stop") | beside):
        events += decoder.feed(Frame(json.dumps(chunk).encode()))
    events += decoder.close()
    assert events == [
        ReasoningDelta(0, "Hm"),
        TextDelta(1, "Yes [1]."),
        UsageDelta(input_tokens=5, output_tokens=7),
        PartDelta(1, Text("Yes [1].", [UrlCitation("https://a.test", "A")])),
        FinishReason("stop", "stop"),
    ]
    assert decoder.cost == "0.0061"


def test_together_and_others_are_asked_in_the_common_form() -> None:
    assert ask(TogetherConfig(), top_k=3, max_tokens=9).added == {"top_k": 3, "max_tokens": 9}
    plain = ask(CompatibleConfig(base_url="https://llm.test/v1"), tools=[TOOL], max_tokens=9, top_k=3)
    assert plain.added == {"tools": [WIRE_TOOL], "max_tokens": 9}
    assert plain.warned == ["top_k"]

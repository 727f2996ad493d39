import pytest
from asked import TOOL, TOOL_TURNS, ask, models_url

from sidecar.dialects.shaping import Shaping
from sidecar.providers.deepseek import DeepSeekConfig
from sidecar.schema.chat import JsonSchemaFormat, Message, ReasoningOptions, ToolCall, ToolResult

CONFIG = DeepSeekConfig()


def test_where_questions_go() -> None:
    assert ask(CONFIG).url == "https://api.deepseek.com/chat/completions"
    assert models_url(CONFIG) == "https://api.deepseek.com/models"


@pytest.mark.parametrize(
    ("effort", "sent"),
    [
        ("none", {"thinking": {"type": "disabled"}}),
        ("low", {"reasoning_effort": "low"}),
        ("high", {"reasoning_effort": "high"}),
        ("max", {"reasoning_effort": "max"}),
    ],
)
def test_thinking_is_switched_off_or_measured(effort: str, sent: object) -> None:
    asked = ask(CONFIG, reasoning=ReasoningOptions(effort))  # type: ignore[arg-type]
    assert (asked.added, asked.warned) == (sent, [])


def test_sampling_means_nothing_while_the_model_thinks() -> None:
    asked = ask(CONFIG, temperature=0.5, max_tokens=9)
    assert (asked.added, asked.warned) == ({"max_tokens": 9}, ["temperature"])
    silent = ask(CONFIG, temperature=0.5, reasoning=ReasoningOptions("none"))
    assert silent.added == {"temperature": 0.5, "thinking": {"type": "disabled"}}


def test_thoughts_go_back_with_their_tool_calls_even_if_there_are_none() -> None:
    assert ask(CONFIG, messages=TOOL_TURNS).body["messages"][1]["reasoning_content"] == "Hm"
    foreign = [Message("assistant", [ToolCall("c", "f", "{}")]), Message("tool", [ToolResult("c", "one")])]
    assert ask(CONFIG, messages=foreign).body["messages"][0]["reasoning_content"] == ""
    assert "reasoning_content" not in ask(CONFIG, messages=[Message("assistant", "Hi")]).body["messages"][0]


def test_a_tool_that_must_be_called_is_asked_for_in_words() -> None:
    asked = ask(CONFIG, tools=[TOOL], tool_choice="required")
    assert asked.body["tool_choice"] == "auto"
    assert asked.body["messages"][0]["content"] == "Answer this turn by calling at least one of the tools."
    assert asked.warned == ["tool_choice"]


def test_a_schema_is_told_in_words() -> None:
    asked = ask(CONFIG, response_format=JsonSchemaFormat({"type": "object"}))
    assert asked.encoded.shaping == Shaping(fenced=True, structured="prompt")
    assert '{"type":"object"}' in asked.body["messages"][0]["content"]

import pytest
from asked import TOOL, WIRE_TOOL, ask, models_url

from sidecar.providers.groq import GroqConfig
from sidecar.schema.chat import ReasoningOptions

CONFIG = GroqConfig()


def test_where_questions_go() -> None:
    assert ask(CONFIG).url == "https://api.groq.com/openai/v1/chat/completions"
    assert models_url(CONFIG) == "https://api.groq.com/openai/v1/models"


def test_a_question_with_tools() -> None:
    asked = ask(CONFIG, tools=[TOOL], max_tokens=9, seed=1, top_k=2)
    assert asked.added == {"tools": [WIRE_TOOL], "max_completion_tokens": 9, "seed": 1}
    assert asked.warned == ["top_k"]


def test_thoughts_are_asked_for_apart_from_words_where_they_come_mixed() -> None:
    assert ask(CONFIG, tools=[TOOL], model="qwen/qwen3-32b").added["reasoning_format"] == "parsed"
    assert "reasoning_format" not in ask(CONFIG, tools=[TOOL], model="openai/gpt-oss-120b").added
    assert "reasoning_format" not in ask(CONFIG, tools=[TOOL], model="llama-3.3-70b-versatile").added


@pytest.mark.parametrize(
    ("model", "effort", "sent", "warned"),
    [
        ("openai/gpt-oss-120b", "high", "high", []),
        ("openai/gpt-oss-120b", "none", "low", ["reasoning.effort"]),
        ("openai/gpt-oss-20b", "max", "high", ["reasoning.effort"]),
        ("qwen/qwen3-32b", "none", "none", []),
        ("qwen/qwen3-32b", "high", None, ["reasoning"]),
    ],
)
def test_each_model_thinks_as_much_as_it_can(model: str, effort: str, sent: str | None, warned: list[str]) -> None:
    asked = ask(CONFIG, model=model, reasoning=ReasoningOptions(effort))  # type: ignore[arg-type]
    assert (asked.added.get("reasoning_effort"), asked.warned) == (sent, warned)

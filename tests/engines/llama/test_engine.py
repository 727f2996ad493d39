import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from local_models import FAKE, Question, gguf
from local_questions import ask, cancelled_after, chat_in, gone, refused
from local_questions import one_at_a_time as target_for

from sidecar.engines.llama import lease, resident, residents, runtimes
from sidecar.engines.llama.engine import llama_engine
from sidecar.engines.llama.footprint import usual
from sidecar.engines.llama.gguf import inspect
from sidecar.engines.llama.local import LocalModels
from sidecar.schema.chat import FinishReason, Message, Text, Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import ReasoningDelta, Status, TextDelta, UsageDelta
from sidecar.schema.models import ModelInfo
from sidecar.schema.usage import Usage

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
TOO_LONG_S = 0.5
"""Cancelling is to take 100 ms; the rest is for a busy test machine."""


@asynccontextmanager
async def running(load_ms: int = 10_000) -> AsyncIterator[LocalModels]:
    with anyio.fail_after(20):
        async with llama_engine(FAKE, load_ms) as engine:
            yield engine


async def test_an_answer_streams_and_ends_with_usage(model: Path) -> None:
    async with running() as engine:
        question = Question(target_for(model), "say one two")
        completion = await engine.chat(question.call, question.emit)
    assert question.events[-5:] == [
        Status(state="waiting_first_token"),
        TextDelta(0, "one"),
        TextDelta(0, "two"),
        UsageDelta(input_tokens=5, output_tokens=2, cache_read_tokens=1),
        FinishReason("stop", "stop"),
    ]
    assert completion.message.content == [Text("onetwo")]
    assert (completion.cost.amount, completion.cost.source) == ("0", "free")


async def test_loading_is_told_once_and_only_for_the_first_question(model: Path) -> None:
    async with running() as engine:
        first, second = Question(target_for(model), "say a"), Question(target_for(model), "say b")
        await engine.chat(first.call, first.emit)
        await engine.chat(second.call, second.emit)
    assert first.told == ["loading_model", "waiting_first_token"]
    assert second.told == ["waiting_first_token"]
    assert Status(state="loading_model", progress=1.0) in first.events


async def test_a_context_larger_than_the_model_was_trained_for_is_reduced_with_a_warning(model: Path) -> None:
    async with running() as engine:
        fitting = Question(target_for(model, context_size=2048), "say a")
        await engine.chat(fitting.call, fitting.emit)
        large = Question(target_for(model, context_size=4096), "say a")
        await engine.chat(large.call, large.emit)
    assert fitting.call.transcript.warnings == []
    message = "The model was trained for a context of 2048 tokens; 4096 were asked for."
    assert large.call.transcript.warnings == [Warning("context_size_reduced", message, "context_size")]


async def test_a_question_may_have_a_context_of_its_own_size(model: Path) -> None:
    async with running() as engine:
        assert await ask(engine, model, "context", context_size=1024) == "1024"
        own = Question(target_for(model, context_size=1024), "context", context_size=512)
        await engine.chat(own.call, own.emit)
        large = Question(target_for(model, context_size=1024), "count", context_size=4096)
        await engine.chat(large.call, large.emit)
    assert (own.said, own.call.transcript.warnings) == ("512", [])
    message = "The model was trained for a context of 2048 tokens; 4096 were asked for."
    assert large.call.transcript.warnings == [Warning("context_size_reduced", message, "context_size")]


async def test_a_host_that_leaves_before_the_question_is_sent_leaves_the_model_to_others(model: Path) -> None:
    class GoneError(Exception):
        pass

    async def leave(event: object) -> None:
        if isinstance(event, Warning):
            raise GoneError

    async with running() as engine:
        large = Question(target_for(model, context_size=4096), "count")
        with pytest.raises(GoneError):
            await engine.chat(large.call, leave)
        assert await ask(engine, model, "count", context_size=4096) == "1"


async def test_reasoning_has_a_part_of_its_own(model: Path) -> None:
    async with running() as engine:
        question = Question(target_for(model), "think hm")
        await engine.chat(question.call, question.emit)
    assert [event for event in question.events if isinstance(event, TextDelta | ReasoningDelta)] == [
        ReasoningDelta(0, "hm"),
        TextDelta(1, "so"),
    ]


async def test_questions_share_a_worker_and_one_load(model: Path) -> None:
    async with running() as engine:
        questions = [Question(target_for(model), "pid") for _ in range(5)]
        async with anyio.create_task_group() as tasks:
            for question in questions:
                tasks.start_soon(engine.chat, question.call, question.emit)
    assert len({question.said for question in questions}) == 1


async def test_questions_are_answered_in_the_order_they_came(model: Path) -> None:
    async with running() as engine:
        first = Question(target_for(model), "hang")
        later = [Question(target_for(model), "count") for _ in range(4)]
        async with anyio.create_task_group() as tasks:
            scope = anyio.CancelScope()
            tasks.start_soon(chat_in, scope, engine, first)
            await first.spoke.wait()
            for question in later:
                tasks.start_soon(engine.chat, question.call, question.emit)
                await question.reached("queued").wait()
            scope.cancel()
    assert [question.said for question in later] == ["2", "3", "4", "5"]


async def test_cancelling_an_answer_brings_its_usage(model: Path) -> None:
    async with running() as engine:
        question = Question(target_for(model), "hang")
        assert await cancelled_after(engine, question, question.spoke) < TOO_LONG_S
        assert question.call.transcript.usage == Usage(input_tokens=5, output_tokens=2, cache_read_tokens=1)
        assert await ask(engine, model, "count") == "2"


async def test_a_slow_worker_does_not_hold_up_who_cancels_and_serves_the_next(model: Path, tmp_path: Path) -> None:
    border = tmp_path / "border"
    async with running() as engine:
        slow, after = Question(target_for(model), f"slow {border}"), Question(target_for(model), "count")
        assert await cancelled_after(engine, slow, slow.spoke) < TOO_LONG_S
        assert slow.call.transcript.usage is None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.chat, after.call, after.emit)
            await after.reached("queued").wait()
            border.touch()
    assert after.said == "2"


async def test_a_worker_that_never_stops_is_replaced(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "DRAIN_S", 0.05)
    async with running() as engine:
        question = Question(target_for(model), "slow /nowhere")
        assert await cancelled_after(engine, question, question.spoke) < TOO_LONG_S
        assert await ask(engine, model, "count") == "1"


async def test_cancelling_while_queued_takes_nothing_from_the_others(model: Path) -> None:
    async with running() as engine:
        first, second = Question(target_for(model), "hang"), Question(target_for(model), "say never")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.chat, first.call, first.emit)
            await first.spoke.wait()
            assert await cancelled_after(engine, second, second.reached("queued")) < TOO_LONG_S
            tasks.cancel_scope.cancel()
        assert await ask(engine, model, "count") == "2"


async def test_cancelling_a_load_that_nobody_else_waits_for_ends_the_worker(tmp_path: Path) -> None:
    path = tmp_path / "hangs-for-ever.gguf"
    path.write_bytes(gguf())
    async with running() as engine:
        question = Question(target_for(path), "say never")
        assert await cancelled_after(engine, question, question.reached("loading_model")) < TOO_LONG_S
        assert [model.loaded for model in await engine.models(target_for(path))] == [False]


async def test_cancelling_a_load_leaves_it_to_those_who_still_wait(tmp_path: Path) -> None:
    path = tmp_path / "waits.gguf"
    path.write_bytes(gguf())
    async with running() as engine:
        first, second = Question(target_for(path), "say a"), Question(target_for(path), "count")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.chat, second.call, second.emit)
            await second.reached("loading_model").wait()
            await cancelled_after(engine, first, first.reached("loading_model"))
            path.with_suffix(".go").touch()
    assert second.said == "1"


async def test_a_load_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "hangs.gguf"
    path.write_bytes(gguf())
    async with running(load_ms=300) as engine:
        error = await refused(engine, Question(target_for(path), "say never"))
    assert (error.type, error.details["stage"]) == ("timeout", "total")


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("refuses", "model_file_invalid", "unknown model architecture: 'blama'"),
        ("swells", "out_of_memory", "does not fit into memory"),
        ("chokes", "out_of_memory", "does not fit into memory"),
        ("dies", "engine_crashed", "it read memory that it may not read"),
    ],
)
async def test_a_failed_load_says_why(tmp_path: Path, name: str, kind: str, words: str) -> None:
    path = tmp_path / f"{name}.gguf"
    path.write_bytes(gguf())
    async with running() as engine:
        error = await refused(engine, Question(target_for(path), "say never"))
    assert error.type == kind
    assert words in error.message
    assert error.details["provider"] == "local"


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("die SIGSEGV", "it read memory that it may not read"),
        ("die SIGABRT", "one of its own checks failed"),
        ("die SIGBUS", "the model file became unreadable"),
        ("die SIGKILL", "the system ended it"),
        ("exit 3", "it ended with exit code 3"),
    ],
)
async def test_a_crash_costs_one_answer(model: Path, order: str, words: str) -> None:
    async with running() as engine:
        error = await refused(engine, Question(target_for(model), order))
        assert (error.type, words in error.message) == ("engine_crashed", True)
        assert await ask(engine, model, "count") == "1"


async def test_a_crash_keeps_the_part_that_came(model: Path) -> None:
    async with running() as engine:
        question = Question(target_for(model), "die SIGSEGV")
        await refused(engine, question)
    assert question.call.transcript.message().content == [Text("last words")]


async def test_an_assertion_of_the_engine_is_a_hint(model: Path) -> None:
    async with running() as engine:
        error = await refused(engine, Question(target_for(model), "exit 134"))
    assert error.details["hint"] == "GGML_ASSERT(n > 0) failed"


async def test_questions_behind_a_crash_get_a_new_worker(model: Path) -> None:
    async with running() as engine:
        first, second = Question(target_for(model), "hang"), Question(target_for(model), "count")
        pid = int(await ask(engine, model, "pid"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(refused, engine, first)
            await first.spoke.wait()
            tasks.start_soon(engine.chat, second.call, second.emit)
            await second.reached("queued").wait()
            os.kill(pid, signal.SIGKILL)
    assert second.said == "1"


async def test_a_failure_leaves_the_worker_in_place(model: Path) -> None:
    async with running() as engine:
        error = await refused(engine, Question(target_for(model), "fail too long"))
        assert (error.type, error.message) == ("context_length_exceeded", "too long")
        assert await ask(engine, model, "count") == "2"


async def test_what_native_code_prints_does_not_reach_the_protocol(model: Path) -> None:
    async with running() as engine:
        assert await ask(engine, model, "print {}") == "printed"


async def test_other_settings_are_another_worker(model: Path) -> None:
    async with running() as engine:
        assert await ask(engine, model, "pid") != await ask(engine, model, "pid", context_size=512)


async def test_closing_ends_answers_and_workers(model: Path) -> None:
    async with running() as engine:
        pid = int(await ask(engine, model, "pid"))
        question = Question(target_for(model), "hang")
        errors: list[SidecarError] = []

        async def chat() -> None:
            errors.append(await refused(engine, question))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(chat)
            await question.spoke.wait()
            await engine.close()
        await gone(pid)
    assert [error.type for error in errors] == ["shutting_down"]


PARENT = """
import sys, anyio
from local_models import Question, target_for
from sidecar.engines.llama.engine import llama_engine
from sidecar.engines.llama.local import LocalModels

async def main(path, *command):
    async with llama_engine(command) as engine:
        question = Question(target_for(path), "pid")
        await engine.chat(question.call, question.emit)
        print(question.said, flush=True)
        question = Question(target_for(path), "slow /nowhere")
        await engine.chat(question.call, question.emit)

anyio.run(main, *sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="uses pidfds")
def test_a_worker_dies_with_its_parent(model: Path) -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    argv = [sys.executable, "-c", PARENT, str(model), *FAKE]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path}) as parent:
        assert parent.stdout is not None
        handle = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        ended, _, _ = select.select([handle], [], [], 2)
        os.close(handle)
    assert ended


async def test_a_missing_file_needs_no_worker(tmp_path: Path) -> None:
    async with running() as engine:
        error = await refused(engine, Question(target_for(tmp_path / "no.gguf"), [Message("user", "hi")]))
    assert (error.type, error.message) == ("model_file_invalid", "The model file no.gguf does not exist.")


@pytest.mark.parametrize("setting", ["context_size", "threads", "gpu_layers"])
async def test_settings_that_make_no_sense_are_refused(model: Path, setting: str) -> None:
    async with running() as engine:
        error = await refused(engine, Question(target_for(model, **{setting: -5}), "say never"))
    assert (error.type, error.details["param"]) == ("invalid_params", setting)


async def test_a_worker_that_cannot_start_is_an_engine_that_is_unavailable(model: Path) -> None:
    async with llama_engine(["/nonexistent/program"]) as engine:
        error = await refused(engine, Question(target_for(model), "say never"))
    assert error.type == "engine_unavailable"


async def test_models_describes_the_file(model: Path) -> None:
    async with running() as engine:
        found = await engine.models(target_for(model))
    assert found == [
        ModelInfo(
            id="tiny",
            provider="local",
            name="Tiny",
            context_length=2048,
            input_modalities=["text"],
            size_bytes=len(gguf()),
            loaded=False,
            memory_bytes=usual(inspect(str(model))),
        )
    ]


async def test_check_stops_at_a_bad_file(tmp_path: Path) -> None:
    async with running() as engine:
        stages = await engine.check(target_for(tmp_path / "no.gguf"))
    assert [(stage.stage, stage.ok) for stage in stages] == [("file", False)]


async def test_check_tells_that_no_engine_is_installed(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "MODULES", {"xllamacpp": "no_such_module"})
    async with running() as engine:
        stages = await engine.check(target_for(model))
    assert [(stage.stage, stage.ok, stage.hint) for stage in stages] == [
        ("file", True, None),
        ("engine", False, "pip install xllamacpp"),
    ]


async def test_check_starts_a_worker_that_loads_nothing(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "MODULES", {"xllamacpp": "sys"})
    async with running() as engine:
        stages = await engine.check(target_for(model))
        assert [one.loaded for one in await engine.models(target_for(model))] == [False]
    assert [(stage.stage, stage.ok) for stage in stages] == [("file", True), ("engine", True)]


async def test_check_tells_that_the_worker_does_not_run(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "MODULES", {"xllamacpp": "sys"})
    async with llama_engine([*FAKE, "--fail"]) as engine:
        stages = await engine.check(target_for(model))
    assert [(stage.stage, stage.ok) for stage in stages] == [("file", True), ("engine", False)]


async def test_progress_is_estimated_from_the_workers_memory(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residents, "PROGRESS_S", 0.005)
    monkeypatch.setattr(resident, "WORKER_BYTES", 0)
    path = model.with_name("hangs.gguf")
    path.write_bytes(gguf())
    async with running() as engine:
        question = Question(target_for(path), "say never")
        halfway = anyio.Event()

        async def emit(event: object) -> None:
            if isinstance(event, Status) and event.progress == 0.99:
                halfway.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.chat, question.call, emit)
            await halfway.wait()
            tasks.cancel_scope.cancel()

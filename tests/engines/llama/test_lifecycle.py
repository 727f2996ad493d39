"""How long models are in memory: from when they are wanted until they are not."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from local_models import FAKE, Question, gguf
from local_questions import ask, chat_in, gone, one_at_a_time, refused

from sidecar.engines.llama.engine import llama_engine
from sidecar.engines.llama.local import LocalModels
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status
from sidecar.schema.loading import LoadedModel, UnloadedModel

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def running() -> AsyncIterator[LocalModels]:
    with anyio.fail_after(20):
        async with llama_engine(FAKE, 10_000) as engine:
            yield engine


def unheard(status: Status) -> None:
    del status


async def load(engine: LocalModels, path: Path, **settings: Any) -> LoadedModel:
    return await engine.load(one_at_a_time(path, **settings), None, unheard)


async def is_loaded(engine: LocalModels, path: Path) -> bool | None:
    (info,) = await engine.models(one_at_a_time(path))
    return info.loaded


async def test_an_idle_model_is_unloaded_after_its_time(model: Path) -> None:
    async with running() as engine:
        await gone(int(await ask(engine, model, "pid", keep_alive_s=0.01)))
        assert await is_loaded(engine, model) is False


async def test_a_model_is_unloaded_behind_its_answer_where_nothing_is_to_be_kept(model: Path) -> None:
    async with running() as engine:
        await gone(int(await ask(engine, model, "pid", keep_alive_s=0)))


@pytest.mark.parametrize("for_ever", [None, -1])
async def test_a_model_may_be_kept_for_ever(model: Path, for_ever: float | None) -> None:
    async with running() as engine:
        pid = await ask(engine, model, "pid", keep_alive_s=for_ever)
        (resident,) = engine._residents.holding(str(model))
        assert resident.expiry is None
        assert await ask(engine, model, "pid", keep_alive_s=for_ever) == pid


async def test_a_model_in_use_is_not_idle(model: Path) -> None:
    async with running() as engine:
        question = Question(one_at_a_time(model, keep_alive_s=0.01), "slow /nowhere")
        await ask(engine, model, "say a", keep_alive_s=0.01)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.chat, question.call, question.emit)
            await question.spoke.wait()
            await anyio.sleep(0.03)
            assert await is_loaded(engine, model) is True
            tasks.cancel_scope.cancel()


async def test_a_model_is_loaded_ahead_of_its_first_question(model: Path) -> None:
    told: list[Status] = []
    async with running() as engine:
        loaded = await engine.load(one_at_a_time(model, parallel=3), 1000, told.append)
        question = Question(one_at_a_time(model, parallel=3, context_size=1000), "context")
        await engine.chat(question.call, question.emit)
    assert (loaded.provider, loaded.model, loaded.runtime) == ("local", "tiny", "xllamacpp")
    assert (loaded.context_size, loaded.parallel) == (1024, 3)
    assert loaded.memory_bytes > 0
    assert (told[0], told[-1]) == (
        Status(state="loading_model", progress=0.0),
        Status(state="loading_model", progress=1.0),
    )
    assert (question.said, question.told) == ("1024", ["waiting_first_token"])


async def test_loading_again_changes_nothing(model: Path) -> None:
    told: list[Status] = []
    async with running() as engine:
        first = await load(engine, model)
        again = await engine.load(one_at_a_time(model), None, told.append)
        assert await ask(engine, model, "count") == "1"
    assert (again.load_ms, told) == (first.load_ms, [])


async def test_a_question_and_a_load_wait_for_the_same_worker(tmp_path: Path) -> None:
    path = tmp_path / "waits.gguf"
    path.write_bytes(gguf())
    async with running() as engine:
        question = Question(one_at_a_time(path), "count")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.chat, question.call, question.emit)
            await question.reached("loading_model").wait()
            tasks.start_soon(load, engine, path)
            path.with_suffix(".go").touch()
        assert [question.said, await ask(engine, path, "count")] == ["1", "2"]


async def test_a_load_that_is_cancelled_ends_the_worker(tmp_path: Path) -> None:
    path = tmp_path / "hangs.gguf"
    path.write_bytes(gguf())
    begun = anyio.Event()
    async with running() as engine:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(engine.load, one_at_a_time(path), None, lambda _: begun.set())
                await begun.wait()
                scope.cancel()
        assert await engine.unload(one_at_a_time(path), "finish") == UnloadedModel(0)
        assert await is_loaded(engine, path) is False


async def test_a_model_that_is_loaded_ahead_stays_for_an_answer_even_where_nothing_is_kept(model: Path) -> None:
    async with running() as engine:
        await load(engine, model, keep_alive_s=0)
        assert await is_loaded(engine, model) is True
        await gone(int(await ask(engine, model, "pid", keep_alive_s=0)))


async def test_why_a_model_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    path = tmp_path / "refuses.gguf"
    path.write_bytes(gguf())
    async with running() as engine:
        with pytest.raises(SidecarError) as raised:
            await load(engine, path)
    assert (raised.value.type, raised.value.details["provider"]) == ("model_file_invalid", "local")


async def test_an_unloaded_model_is_gone_with_all_its_workers(model: Path) -> None:
    async with running() as engine:
        pids = [int(await ask(engine, model, "pid", threads=number)) for number in (1, 2)]
        unloaded = await engine.unload(one_at_a_time(model), "finish")
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        assert await is_loaded(engine, model) is False
        assert await ask(engine, model, "count") == "1"
    assert unloaded.unloaded == 2
    assert unloaded.freed_bytes is not None
    assert unloaded.freed_bytes > 1 << 20


async def test_what_is_not_loaded_is_unloaded_already(model: Path) -> None:
    async with running() as engine:
        assert await engine.unload(one_at_a_time(model), "finish") == UnloadedModel(0)


async def test_unloading_waits_for_answers_and_who_asks_meanwhile_gets_a_new_worker(model: Path) -> None:
    async with running() as engine:
        old = Question(one_at_a_time(model), "hang")
        scope, results = anyio.CancelScope(), list[UnloadedModel]()

        async def unload() -> None:
            results.append(await engine.unload(one_at_a_time(model), "finish"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(chat_in, scope, engine, old)
            await old.spoke.wait()
            tasks.start_soon(unload)
            await anyio.wait_all_tasks_blocked()
            assert await ask(engine, model, "count") == "1"
            assert results == []
            scope.cancel()
        assert [one.unloaded for one in results] == [1]
        assert await ask(engine, model, "count") == "2"


async def test_unloading_by_force_ends_answers_with_a_reason(model: Path) -> None:
    async with running() as engine:
        question, errors = Question(one_at_a_time(model), "hang"), list[SidecarError]()

        async def chat() -> None:
            errors.append(await refused(engine, question))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(chat)
            await question.spoke.wait()
            assert (await engine.unload(one_at_a_time(model), "end")).unloaded == 1
        assert await ask(engine, model, "count") == "1"
    assert [(error.type, error.message) for error in errors] == [
        ("engine_crashed", "The model was unloaded while it was in use.")
    ]


async def test_unloading_by_force_ends_a_load(tmp_path: Path) -> None:
    path = tmp_path / "hangs.gguf"
    path.write_bytes(gguf())
    async with running() as engine:
        question, errors = Question(one_at_a_time(path), "say never"), list[SidecarError]()

        async def chat() -> None:
            errors.append(await refused(engine, question))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(chat)
            await question.reached("loading_model").wait()
            await engine.unload(one_at_a_time(path), "end")
    assert [error.message for error in errors] == ["The model was unloaded while it was in use."]

"""Which models are in memory together: as many as there is room for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from local_models import FAKE, Question, gguf
from local_questions import ask, cancelled_after, chat_in, gone, one_at_a_time, refused

from sidecar.engines.llama import room
from sidecar.engines.llama.engine import llama_engine
from sidecar.engines.llama.footprint import estimate
from sidecar.engines.llama.gguf import inspect
from sidecar.engines.llama.local import LocalModels
from sidecar.engines.llama.resident import ModelKey, Resident
from sidecar.engines.llama.room import Room

pytestmark = pytest.mark.anyio

TOO_LONG_S = 0.5
"""Cancelling is to take 100 ms; the rest is for a busy test machine."""


@asynccontextmanager
async def running(memory_bytes: int = 0) -> AsyncIterator[LocalModels]:
    with anyio.fail_after(20):
        async with llama_engine(FAKE, 10_000, memory_bytes) as engine:
            yield engine


def room_for(model: Path, count: int) -> int:
    return count * estimate(inspect(str(model)), 2048)


async def test_what_there_is_no_room_for_takes_the_place_of_what_was_unused_for_longest(model: Path) -> None:
    async with running(room_for(model, 2)) as engine:
        first, second = await ask(engine, model, "pid"), await ask(engine, model, "pid", threads=2)
        assert await ask(engine, model, "pid") == first
        await ask(engine, model, "say third", threads=3)
        await gone(int(second))
        assert await ask(engine, model, "pid") == first


async def test_models_stay_as_long_as_there_is_room(model: Path) -> None:
    async with running(room_for(model, 4)) as engine:
        pids = [await ask(engine, model, "pid", threads=number) for number in range(1, 5)]
        assert [await ask(engine, model, "pid", threads=number) for number in range(1, 5)] == pids


async def test_a_question_waits_while_all_that_is_in_its_way_is_in_use(model: Path) -> None:
    async with running(room_for(model, 2)) as engine:
        busy = [Question(one_at_a_time(model, threads=number), "hang") for number in (2, 3)]
        third = Question(one_at_a_time(model), "count")
        async with anyio.create_task_group() as tasks:
            scopes = [anyio.CancelScope() for _ in busy]
            for scope, question in zip(scopes, busy, strict=True):
                tasks.start_soon(chat_in, scope, engine, question)
                await question.spoke.wait()
            tasks.start_soon(engine.chat, third.call, third.emit)
            await third.reached("queued").wait()
            for scope in scopes:
                scope.cancel()
    assert third.said == "1"


async def test_a_question_that_waits_for_room_can_be_cancelled(model: Path) -> None:
    async with running(room_for(model, 1)) as engine:
        busy, waiting = Question(one_at_a_time(model), "hang"), Question(one_at_a_time(model, threads=2), "say never")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.chat, busy.call, busy.emit)
            await busy.spoke.wait()
            assert await cancelled_after(engine, waiting, waiting.reached("queued")) < TOO_LONG_S
            tasks.cancel_scope.cancel()
        assert await ask(engine, model, "count") == "2"


async def test_a_model_that_would_not_fit_alone_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "hangs.gguf"
    path.write_bytes(gguf())
    async with running(room_for(path, 1) - 1) as engine:
        error = await refused(engine, Question(one_at_a_time(path), "say never"))
    assert error.type == "out_of_memory"
    assert error.message == (
        "The model hangs.gguf would take about 48 MiB with a context of 2048 tokens, but local models may take 48 MiB"
        " of this machine's memory."
    )
    hint = "Choose a smaller context_size or a smaller model, or raise the limit local_memory_bytes."
    assert error.details == {"hint": hint, "provider": "local", "model": "hangs"}


async def test_there_are_only_so_many_workers_however_small(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_WORKERS", 2)
    async with running(room_for(model, 100)) as engine:
        first = int(await ask(engine, model, "pid", threads=1))
        for number in (2, 3):
            await ask(engine, model, "say more", threads=number)
        await gone(first)


def test_without_a_limit_models_may_take_a_share_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "total_memory", lambda: 16 << 30)
    assert room.room(0) == Room(12 << 30)
    assert room.room(1 << 30) == Room(1 << 30)


async def test_where_the_system_does_not_tell_its_memory_only_the_number_counts(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "total_memory", lambda: None)
    key = ModelKey(str(model), None, None, None, "auto")
    some = [Resident(key, inspect(str(model))) for _ in range(room.MAX_WORKERS)]
    assert room.room(0).has(some[0], some[1:])
    assert not room.room(0).has(some[0], some)

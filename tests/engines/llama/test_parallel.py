"""Several answers of one worker at once: its places, and who may take them from whom."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from local_models import FAKE, Question, target_for
from local_questions import cancelled_after, chat_in, refused

from sidecar.engines.llama import lease
from sidecar.engines.llama.engine import llama_engine
from sidecar.engines.llama.local import LocalModels
from sidecar.handler import Target
from sidecar.schema.errors import SidecarError

pytestmark = pytest.mark.anyio

TOO_LONG_S = 0.5
"""Cancelling is to take 100 ms; the rest is for a busy test machine."""


@asynccontextmanager
async def running() -> AsyncIterator[LocalModels]:
    with anyio.fail_after(20):
        async with llama_engine(FAKE, 10_000) as engine:
            yield engine


def two_at_a_time(path: Path, **settings: Any) -> Target:
    return target_for(path, parallel=2, **settings)


async def answered(engine: LocalModels, model: Path, content: str) -> str:
    question = Question(two_at_a_time(model), content)
    await engine.chat(question.call, question.emit)
    return question.said


async def test_as_many_answers_as_there_are_places_are_made_at_once(model: Path) -> None:
    async with running() as engine:
        hanging = [Question(two_at_a_time(model), "hang") for _ in range(2)]
        third = Question(two_at_a_time(model), "count")
        scopes = [anyio.CancelScope() for _ in hanging]
        async with anyio.create_task_group() as tasks:
            for scope, question in zip(scopes, hanging, strict=True):
                tasks.start_soon(chat_in, scope, engine, question)
            for question in hanging:
                await question.spoke.wait()
            tasks.start_soon(engine.chat, third.call, third.emit)
            await third.reached("queued").wait()
            assert third.said == ""
            scopes[0].cancel()
            await third.spoke.wait()
            scopes[1].cancel()
    assert (third.said, third.told) == ("3", ["queued", "waiting_first_token"])


async def test_there_are_four_places_unless_told_otherwise(model: Path) -> None:
    async with running() as engine:
        loaded = await engine.load(target_for(model), None, lambda _: None)
    assert loaded.parallel == 4


async def test_a_cancelled_answer_leaves_the_others_alone(model: Path) -> None:
    async with running() as engine:
        one, other = (Question(two_at_a_time(model), "hang") for _ in range(2))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.chat, other.call, other.emit)
            await other.spoke.wait()
            assert await cancelled_after(engine, one, one.spoke) < TOO_LONG_S
            assert await answered(engine, model, "count") == "3"
            tasks.cancel_scope.cancel()


async def test_who_is_slow_to_stop_keeps_its_own_place_and_no_other(model: Path, tmp_path: Path) -> None:
    border = tmp_path / "border"
    async with running() as engine:
        slow = Question(two_at_a_time(model), f"slow {border}")
        assert await cancelled_after(engine, slow, slow.spoke) < TOO_LONG_S
        assert await answered(engine, model, "count") == "2"
        hanging, waiting = Question(two_at_a_time(model), "hang"), Question(two_at_a_time(model), "count")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.chat, hanging.call, hanging.emit)
            await hanging.spoke.wait()
            tasks.start_soon(engine.chat, waiting.call, waiting.emit)
            await waiting.reached("queued").wait()
            border.touch()
            await waiting.spoke.wait()
            tasks.cancel_scope.cancel()
    assert waiting.said == "4"


async def stuck_in(engine: LocalModels, model: Path) -> None:
    """Leave a question in the worker that it does not get done with."""
    question = Question(two_at_a_time(model), "slow /nowhere")
    await cancelled_after(engine, question, question.spoke)
    (resident,) = engine._residents.holding(str(model))
    await anyio.wait_all_tasks_blocked()
    assert resident.stuck == 1


async def test_a_worker_that_somebody_is_stuck_in_goes_on_with_the_others(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "DRAIN_S", 0)
    async with running() as engine:
        pid = await answered(engine, model, "pid")
        hanging, scope = Question(two_at_a_time(model), "hang"), anyio.CancelScope()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(chat_in, scope, engine, hanging)
            await hanging.spoke.wait()
            await stuck_in(engine, model)
            os.kill(int(pid), 0)
            waiting = Question(two_at_a_time(model), "pid")
            tasks.start_soon(engine.chat, waiting.call, waiting.emit)
            await waiting.reached("queued").wait()
            scope.cancel()
        assert hanging.call.transcript.usage is not None
        assert waiting.said not in ("", pid)
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


async def test_a_crash_ends_all_answers_of_the_worker_and_who_waits_gets_a_new_one(model: Path) -> None:
    async with running() as engine:
        pid = int(await answered(engine, model, "pid"))
        hanging = [Question(two_at_a_time(model), "hang") for _ in range(2)]
        waiting, errors = Question(two_at_a_time(model), "count"), list[SidecarError]()

        async def fail(question: Question) -> None:
            errors.append(await refused(engine, question))

        async with anyio.create_task_group() as tasks:
            for question in hanging:
                tasks.start_soon(fail, question)
            for question in hanging:
                await question.spoke.wait()
            tasks.start_soon(engine.chat, waiting.call, waiting.emit)
            await waiting.reached("queued").wait()
            os.kill(pid, signal.SIGKILL)
    assert [error.type for error in errors] == ["engine_crashed"] * 2
    assert waiting.said == "1"


async def test_a_question_that_cannot_be_sent_takes_no_place(model: Path) -> None:
    async with running() as engine:
        question = Question(two_at_a_time(model), "say half a character: \ud83d")
        with pytest.raises(UnicodeEncodeError):
            await engine.chat(question.call, question.emit)
        (resident,) = engine._residents.holding(str(model))
        assert (resident.turn.value, resident.users) == (2, 0)


@pytest.mark.parametrize("parallel", [1, 2])
async def test_a_defect_in_a_worker_ends_it_so_that_nobody_waits_for_ever(model: Path, parallel: int) -> None:
    async with running() as engine:
        error = await refused(engine, Question(target_for(model, parallel=parallel), "raise oh"))
        assert await answered(engine, model, "count") == "1"
    assert (error.type, error.message) == (
        "engine_crashed",
        "The local engine crashed: it ended with exit code 1.",
    )

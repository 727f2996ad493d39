"""A model that crashes again and again is left alone for a while."""

from pathlib import Path

import anyio
import pytest
from local_models import FAKE, Question
from local_questions import ask, one_at_a_time, refused

from sidecar.engines.llama.crash_loop import MAX_CRASHES, PAUSE_S, WINDOW_S, CrashLoop
from sidecar.engines.llama.engine import llama_engine
from sidecar.engines.llama.resident import ModelKey
from sidecar.schema.errors import SidecarError

KEY = ModelKey("/models/shaky.gguf", None, None, None, "auto")
OTHER = ModelKey("/models/shaky.gguf", 1024, None, None, "auto")
REASON = SidecarError("engine_crashed", "The local engine crashed: it divided by zero.")


def crashing(*times: float) -> CrashLoop:
    loop = CrashLoop()
    for time in times:
        loop.crashed(KEY, REASON, time)
    return loop


def test_a_model_that_crashed_as_often_as_it_may_is_left_alone() -> None:
    with pytest.raises(SidecarError) as raised:
        crashing(*range(MAX_CRASHES)).check(KEY, MAX_CRASHES)
    error = raised.value
    assert error.type == "engine_crashed"
    left = "The model shaky.gguf has crashed 3 times in a row and is left alone for 59 s."
    assert error.message == f"{left} Last time: The local engine crashed: it divided by zero."
    assert error.details == {
        "hint": "Use a smaller context_size, gpu_layers 0 or another runtime, or download the file again.",
        "retry_after_ms": 59_000,
    }


@pytest.mark.parametrize(
    ("times", "now"),
    [
        (range(MAX_CRASHES - 1), 10),
        ((0, WINDOW_S + 1, WINDOW_S + 2), WINDOW_S + 3),
        (range(MAX_CRASHES), MAX_CRASHES + PAUSE_S),
    ],
    ids=["seldom", "long ago", "after the pause"],
)
def test_it_is_loaded_all_the_same_if_it_crashed(times: tuple[float, ...], now: float) -> None:
    crashing(*times).check(KEY, now)


def test_after_the_pause_one_crash_is_enough() -> None:
    loop = crashing(*range(MAX_CRASHES))
    loop.crashed(KEY, REASON, PAUSE_S + 10)
    with pytest.raises(SidecarError, match="4 times"):
        loop.check(KEY, PAUSE_S + 11)


def test_other_settings_are_tried_at_once() -> None:
    crashing(*range(MAX_CRASHES)).check(OTHER, MAX_CRASHES)


def test_an_answer_makes_up_for_all_crashes() -> None:
    loop = crashing(*range(MAX_CRASHES - 1))
    loop.answered(KEY)
    loop.crashed(KEY, REASON, 5)
    loop.check(KEY, 6)


@pytest.mark.anyio
async def test_a_crash_loop_is_cut_off_and_other_settings_work(model: Path) -> None:
    async with llama_engine(FAKE, 10_000) as engine:
        with anyio.fail_after(20):
            for _ in range(MAX_CRASHES):
                error = await refused(engine, Question(one_at_a_time(model), "die SIGSEGV"))
                assert error.details.get("retry_after_ms") is None
            error = await refused(engine, Question(one_at_a_time(model), "say never"))
            assert error.type == "engine_crashed"
            assert error.message.startswith("The model tiny.gguf has crashed 3 times in a row and is left alone for")
            assert await ask(engine, model, "say hi", threads=2) == "hi"


@pytest.mark.anyio
async def test_an_answer_between_crashes_keeps_the_model_in_use(model: Path) -> None:
    async with llama_engine(FAKE, 10_000) as engine:
        with anyio.fail_after(20):
            for _ in range(MAX_CRASHES + 1):
                await refused(engine, Question(one_at_a_time(model), "die SIGSEGV"))
                assert await ask(engine, model, "say hi") == "hi"

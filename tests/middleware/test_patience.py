"""The deadlines of one attempt, in virtual time."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from calls import call_for
from msgspec.structs import replace
from virtual_time import VIRTUAL_TIME

from sidecar.handler import Call, Completion, Emit, tell
from sidecar.middleware.patience import CONNECT_MS, IDLE_MS, PLAIN_FIRST_TOKEN_MS, STALLED_MS, patience
from sidecar.providers import PROVIDERS
from sidecar.providers.openai import OpenAIConfig
from sidecar.schema.chat import FinishReason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status, StreamEvent, TextDelta, UsageDelta
from sidecar.schema.policies import Timeouts

pytestmark = pytest.mark.anyio

Step = float | StreamEvent


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL_TIME


def playing(*steps: Step) -> Callable[[Call, Emit], Awaitable[Completion]]:
    """Return an engine that waits for numbers (seconds) and emits everything else."""

    async def handler(call: Call, emit: Emit) -> Completion:
        for step in steps:
            if isinstance(step, float):
                await anyio.sleep(step)
            else:
                call.transcript.add(step)
                await tell(emit, step)
        call.transcript.add(FinishReason("stop"))
        return call.completion()

    return handler


async def ignore(event: StreamEvent) -> None:
    del event


async def outcome(call: Call, *steps: Step, emit: Emit = ignore) -> tuple[str, float]:
    """Return the stage of the deadline that passed, or 'done', and when that was."""
    started = anyio.current_time()
    try:
        await patience(playing(*steps))(call, emit)
    except SidecarError as error:
        return f"{error.type} {error.details['stage']}", anyio.current_time() - started
    return "done", anyio.current_time() - started


CONNECTING = Status(state="connecting")
WAITING = Status(state="waiting_first_token")
TEXT = TextDelta(0, "a")


async def test_an_answer_in_time_passes() -> None:
    assert await outcome(call_for(), CONNECTING, 1.0, WAITING, 100.0, TEXT, 100.0, TEXT) == ("done", 201.0)


async def test_connecting_has_a_bound() -> None:
    assert await outcome(call_for(), CONNECTING, 1000.0) == ("timeout connect", CONNECT_MS / 1000)


async def test_the_first_token_has_a_bound_of_its_own() -> None:
    call = call_for(timeouts=Timeouts(first_token=5000))
    assert await outcome(call, CONNECTING, 4.0, WAITING, 1000.0) == ("timeout first_token", 9.0)


@pytest.mark.parametrize(
    ("model", "patience_ms"),
    [("gpt-4.1", PLAIN_FIRST_TOKEN_MS), ("gpt-6-sol", 600_000), ("a-model-of-the-future", 600_000)],
)
async def test_models_that_do_not_think_have_less_time_for_the_first_token(model: str, patience_ms: int) -> None:
    call = call_for()
    call.target = replace(call.target, provider=PROVIDERS["openai"], config=OpenAIConfig(), model=model)
    assert await outcome(call, WAITING, 10_000.0) == ("timeout first_token", patience_ms / 1000)


async def test_a_pause_between_chunks_has_a_bound() -> None:
    assert await outcome(call_for(), WAITING, TEXT, 100.0, TEXT, 1000.0) == ("timeout idle", 100 + IDLE_MS / 1000)


async def test_token_counts_and_further_statuses_are_no_first_token() -> None:
    call = call_for(timeouts=Timeouts(first_token=200_000, idle=1000))
    counts = UsageDelta(input_tokens=7)
    assert await outcome(call, WAITING, counts, 150.0, WAITING, 100.0, TEXT) == ("timeout first_token", 200.0)


async def test_loading_and_queueing_are_not_timed() -> None:
    loading = Status(state="loading_model", progress=0.5)
    assert await outcome(call_for(), loading, 5000.0, Status(state="queued"), 5000.0, WAITING, TEXT) == (
        "done",
        10_000.0,
    )


async def test_the_clocks_stand_still_while_the_host_is_waited_for() -> None:
    async def slow_host(event: StreamEvent) -> None:
        if event is TEXT:
            await anyio.sleep(500)

    call = call_for(timeouts=Timeouts(idle=1000))
    assert await outcome(call, WAITING, TEXT, 0.5, TEXT, emit=slow_host) == ("done", 1000.5)


async def test_a_long_pause_is_reported_once_until_the_answer_goes_on() -> None:
    reported: list[Status] = []
    call = call_for(report=reported.append)
    await outcome(call, WAITING, TEXT, 60.0, TEXT, 60.0, TEXT)
    assert reported == [Status(state="stalled", ms=STALLED_MS)] * 2


async def test_a_cancelled_call_is_not_a_timeout() -> None:
    with anyio.move_on_after(3) as scope:
        await patience(playing(WAITING, 100.0))(call_for(), ignore)
    assert scope.cancelled_caught

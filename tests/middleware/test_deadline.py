"""The deadline of a whole call, in virtual time."""

from typing import Any

import anyio
import pytest
from calls import call_for
from virtual_time import VIRTUAL_TIME

from sidecar.handler import Call, ChatHandler, Completion, Emit, tell
from sidecar.middleware.deadline import deadline
from sidecar.schema.chat import FinishReason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent, TextDelta
from sidecar.schema.policies import Timeouts

pytestmark = pytest.mark.anyio

TEXT = TextDelta(0, "a")


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL_TIME


def saying(pieces: int, pause: float) -> ChatHandler:
    """Return an engine that says so many pieces, with a pause in seconds after each."""

    async def handler(call: Call, emit: Emit) -> Completion:
        for _ in range(pieces):
            await tell(emit, TEXT)
            await anyio.sleep(pause)
        call.transcript.add(FinishReason("stop"))
        return call.completion()

    return handler


async def ignore(event: StreamEvent) -> None:
    del event


async def test_a_call_may_take_for_ever_unless_it_is_told_otherwise() -> None:
    started = anyio.current_time()
    assert (await deadline(saying(100, 60.0))(call_for(), ignore)).finish_reason == FinishReason("stop")
    assert anyio.current_time() - started == 6000.0


async def test_a_call_that_takes_too_long_ends_with_a_timeout() -> None:
    started = anyio.current_time()
    with pytest.raises(SidecarError) as caught:
        await deadline(saying(100, 60.0))(call_for(timeouts=Timeouts(total=90_000)), ignore)
    assert (caught.value.type, caught.value.details) == ("timeout", {"stage": "total"})
    assert anyio.current_time() - started == 90.0


async def test_the_clock_stands_still_while_the_host_is_waited_for() -> None:
    async def slow_host(event: StreamEvent) -> None:
        del event
        await anyio.sleep(500)

    call = call_for(timeouts=Timeouts(total=5000))
    started = anyio.current_time()
    assert (await deadline(saying(4, 1.0))(call, slow_host)).finish_reason == FinishReason("stop")
    assert anyio.current_time() - started == 2004.0


async def test_after_the_host_only_what_is_left_of_the_time_may_be_taken() -> None:
    async def slow_host(event: StreamEvent) -> None:
        del event
        await anyio.sleep(500)

    started = anyio.current_time()
    with pytest.raises(SidecarError):
        await deadline(saying(4, 2.0))(call_for(timeouts=Timeouts(total=5000)), slow_host)
    assert anyio.current_time() - started == 1505.0

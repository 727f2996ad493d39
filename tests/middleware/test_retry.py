"""A question that was refused for something it can do without is asked without it; one that failed, after a pause."""

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest
from calls import call_for
from msgspec.structs import replace
from virtual_time import VIRTUAL_TIME

from sidecar.handler import Call, ChatHandler, Completion, Emit, tell
from sidecar.middleware.retry import MAX_REPAIRS, retry
from sidecar.schema.chat import FinishReason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status, StreamEvent, TextDelta, UsageDelta
from sidecar.schema.policies import RetryOptions
from sidecar.schema.usage import Attempt

pytestmark = pytest.mark.anyio

Refusal = Callable[[Call], str | None]


async def ignore(event: StreamEvent) -> None:
    del event


def server(refuses: Refusal, asked: list[frozenset[str]], *, late: bool = False) -> ChatHandler:
    """Return a handler that notes what each question does without, and refuses it for what `refuses` names."""

    async def handler(call: Call, emit: Emit) -> Completion:
        del emit
        asked.append(call.target.lacks)
        call.repair = refuses(call)
        if call.repair is not None:
            if late:
                call.transcript.add(TextDelta(0, "begun"))
            raise SidecarError("request_rejected", "No.")
        call.transcript.add(FinishReason("stop"))
        return call.completion()

    return handler


def lacking(*names: str) -> Refusal:
    return lambda call: next((name for name in names if name not in call.target.lacks), None)


async def test_a_refused_parameter_is_left_out_the_second_time_and_from_the_start_the_next_time() -> None:
    asked: list[frozenset[str]] = []
    handler = retry(server(lacking("temperature"), asked))
    for _ in range(2):
        assert (await handler(call_for(), ignore)).finish_reason == FinishReason("stop")
    without = frozenset({"temperature"})
    assert asked == [frozenset(), without, without]


async def test_what_one_model_lacks_is_not_held_against_another() -> None:
    asked: list[frozenset[str]] = []
    handler = retry(server(lacking("temperature"), asked))
    await handler(call_for(), ignore)
    other = call_for()
    other.target = replace(other.target, model="another")
    await handler(other, ignore)
    assert asked[2] == frozenset()


async def test_data_that_does_not_fit_one_conversation_is_kept_in_the_next() -> None:
    asked: list[frozenset[str]] = []
    handler = retry(server(lacking("opaque"), asked))
    await handler(call_for(), ignore)
    await handler(call_for(), ignore)
    assert asked == [frozenset(), {"opaque"}, frozenset(), {"opaque"}]


async def test_several_parameters_are_left_out_one_by_one_up_to_a_bound() -> None:
    asked: list[frozenset[str]] = []
    await retry(server(lacking("a", "b", "c"), asked))(call_for(), ignore)
    assert len(asked) == 1 + MAX_REPAIRS
    with pytest.raises(SidecarError, match="No"):
        await retry(server(lacking("a", "b", "c", "d"), []))(call_for(), ignore)


async def test_a_complaint_about_what_was_left_out_already_is_final() -> None:
    asked: list[frozenset[str]] = []
    with pytest.raises(SidecarError, match="No"):
        await retry(server(lambda _: "seed", asked))(call_for(), ignore)
    assert asked == [frozenset(), {"seed"}]


async def test_an_answer_that_has_begun_is_not_asked_for_again() -> None:
    asked: list[frozenset[str]] = []
    with pytest.raises(SidecarError, match="No"):
        await retry(server(lacking("temperature"), asked, late=True))(call_for(), ignore)
    assert asked == [frozenset()]


async def test_a_host_that_wants_errors_gets_the_error() -> None:
    asked: list[frozenset[str]] = []
    call = call_for()
    call.request = replace(call.request, on_unsupported="error")
    with pytest.raises(SidecarError, match="No"):
        await retry(server(lacking("temperature"), asked))(call, ignore)
    assert asked == [frozenset()]
    await retry(server(lacking("opaque"), asked))(call, ignore)
    assert asked[1:] == [frozenset(), {"opaque"}]


async def test_a_failure_that_nothing_can_mend_is_passed_on() -> None:
    async def handler(call: Call, emit: Emit) -> Completion:
        del call, emit
        raise SidecarError("rate_limited")

    with pytest.raises(SidecarError) as raised:
        await retry(handler)(call_for(), ignore)
    assert raised.value.type == "rate_limited"


async def failing_first(call: Call, emit: Emit, *, times: int, error: SidecarError) -> Completion:
    """Fail so many times with the error, and then answer."""
    await tell(emit, UsageDelta(input_tokens=len(call.attempts)))
    call.transcript.add(UsageDelta(input_tokens=len(call.attempts)))
    if len(call.attempts) < times:
        call.attempts.append(FAILED)
        raise error
    call.transcript.add(FinishReason("stop"))
    return call.completion()


FAILED = Attempt(provider="p", model="m", outcome="error", duration_ms=0)
BUSY = SidecarError("provider_overloaded", retry_after_ms=3000)


class TestWaiting:
    """In virtual time."""

    @pytest.fixture
    def anyio_backend(self) -> Any:
        return VIRTUAL_TIME

    async def test_a_busy_provider_is_asked_again_when_it_wants_to_be(self) -> None:
        told: list[StreamEvent] = []

        async def tell(event: StreamEvent) -> None:
            told.append(event)

        call = call_for()
        started = anyio.current_time()
        completion = await retry(partial(failing_first, times=2, error=BUSY))(call, tell)
        assert completion.usage.input_tokens == 2
        assert 6.0 <= anyio.current_time() - started <= 6.2
        states = [(event.state, event.attempt) for event in told if isinstance(event, Status)]
        assert states == [("retrying", 2), ("retrying", 3)]

    async def test_the_last_failure_is_the_answer(self) -> None:
        with pytest.raises(SidecarError) as caught:
            await retry(partial(failing_first, times=3, error=BUSY))(call_for(), ignore)
        assert caught.value is BUSY

    @pytest.mark.parametrize("max_retries", [0, 1, 5])
    async def test_the_host_says_how_often(self, max_retries: int) -> None:
        call = call_for(retry=RetryOptions(max_retries=max_retries))
        with pytest.raises(SidecarError):
            await retry(partial(failing_first, times=99, error=BUSY))(call, ignore)
        assert len(call.attempts) == 1 + max_retries

    async def test_an_answer_that_has_begun_is_not_begun_again(self) -> None:
        async def broken(call: Call, emit: Emit) -> Completion:
            del emit
            call.attempts.append(FAILED)
            call.transcript.add(TextDelta(0, "begun"))
            raise SidecarError("stream_interrupted")

        call = call_for()
        with pytest.raises(SidecarError, match="ended before"):
            await retry(broken)(call, ignore)
        assert len(call.attempts) == 1

    async def test_a_call_is_cancelled_while_it_waits(self) -> None:
        call = call_for()
        with anyio.move_on_after(1) as scope:
            await retry(partial(failing_first, times=1, error=BUSY))(call, ignore)
        assert scope.cancelled_caught
        assert len(call.attempts) == 1

"""A question that was refused for something it can do without is asked once more, without it."""

from collections.abc import Callable

import pytest
from calls import call_for
from msgspec.structs import replace

from sidecar.handler import Call, ChatHandler, Completion, Emit
from sidecar.middleware.retry import MAX_REPAIRS, retry
from sidecar.schema.chat import FinishReason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent, TextDelta

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

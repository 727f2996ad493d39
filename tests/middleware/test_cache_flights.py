"""What is asked at the same time is asked once, and everybody is told."""

import asyncio
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from cached_calls import Heard, Sidecar, call, sidecar
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import VIRTUAL_TIME, VirtualTimeLoop

from sidecar.concurrency import CancelScope
from sidecar.handler import Candidate, tell
from sidecar.middleware.flights import AHEAD
from sidecar.schema.chat import ChatRequest, FinishReason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status, StreamEvent, TextDelta
from sidecar.schema.policies import CacheOptions, Fallback, Privacy, RetryOptions, Timeouts
from sidecar.schema.usage import Attempt, Cost

pytestmark = pytest.mark.anyio

FREE = Cost(amount="0", source="cache")


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL_TIME


def say(*words: str, every: int = 1000) -> list[Any]:
    """Return the steps of an answer that says a word each second."""
    pause = {"do": "pause", "ms": every}
    return [step for word in words for step in (pause, {"do": "text", "text": word})]


COUNTING = (
    *say("one ", "two ", "three"),
    {"do": "usage", "usage": {"input_tokens": 4, "output_tokens": 6}},
    {"do": "cost", "amount": "0.5"},
    {"do": "finish"},
)


async def arrive(house: Sidecar, heard: Heard, at: float = 0.0, leaves: float | None = None) -> None:
    """Have a host ask, and give up, at these times."""
    await asyncio.sleep(at)
    scope = CancelScope()
    timer = None if leaves is None else asyncio.get_running_loop().call_later(leaves - at, scope.cancel)
    async with scope:
        await house.run(heard)
    if timer is not None:
        timer.cancel()


async def test_one_answer_is_for_all_who_ask_meanwhile() -> None:
    async with sidecar() as house:
        heard = [Heard(call(*COUNTING)) for _ in range(3)]
        async with anyio.create_task_group() as tasks:
            for number, one in enumerate(heard):
                tasks.start_soon(arrive, house, one, number * 1.4)
        assert len(house.asked) == 1
        assert [one.text for one in heard] == ["one two three"] * 3
        assert [one.ended for one in heard] == [3.0] * 3
        assert [one.attempts for one in heard] == [[("ok", False)], [("ok", True)], [("ok", True)]]
        assert [one.call.cached for one in heard] == [False, True, True]
        costs = [one.completion.cost if one.completion else None for one in heard]
        assert costs == [Cost(amount="0.5", source="provider"), FREE, FREE]
        assert {str(one.completion.usage) for one in heard if one.completion} == {str(heard[0].call.transcript.usage)}
        assert [str(entry.response_savings) for entry in house.entered] == ["0", "0.5", "0.5"]
        found = await house.answers.stats()
        assert (found.misses, found.joined, found.hits, found.stored) == (1, 2, 0, 1)
        house.told(*heard)


async def test_who_comes_late_gets_all_from_the_start_and_the_rest_live() -> None:
    async with sidecar() as house:
        first, late = Heard(call(*COUNTING)), Heard(call(*COUNTING))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(arrive, house, first)
            tasks.start_soon(arrive, house, late, 2.5)
            await asyncio.sleep(2.6)
            assert late.text == "one two "
            assert late.ended is None


async def test_a_slow_host_keeps_nobody_waiting() -> None:
    async with sidecar() as house:
        slow, quick = Heard(call(*COUNTING), slow=100), Heard(call(*COUNTING))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(arrive, house, slow)
            tasks.start_soon(arrive, house, quick)
        assert quick.ended == 3.0
        assert slow.ended == 1 + 5 * 100
        assert slow.text == quick.text
        house.told(slow, quick)


async def test_the_provider_is_not_asked_for_more_than_the_quickest_host_takes() -> None:
    steps = [{"do": "text", "text": "x"}] * 1000
    async with sidecar() as house:
        stuck, slow = Heard(call(*steps), patience=10), Heard(call(*steps), patience=20)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(arrive, house, stuck, 0, 5)
            tasks.start_soon(arrive, house, slow, 0, 5)
            await asyncio.sleep(4)
            written = house.asked[0].transcript.message()
        assert len(str(written.content[0].text)) <= AHEAD + 20 + 1  # type: ignore[union-attr]


async def test_a_host_that_leaves_leaves_the_answer_to_the_others() -> None:
    async with sidecar() as house:
        first, second = Heard(call(*COUNTING)), Heard(call(*COUNTING))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(arrive, house, first, 0, 1.5)
            tasks.start_soon(arrive, house, second, 0.5)
        assert (first.text, second.text) == ("one ", "one two three")
        assert (first.attempts, second.attempts) == ([("cancelled", True)], [("ok", False)])
        assert (first.call.cost, second.call.cost) == (FREE, Cost(amount="0.5", source="provider"))
        house.told(first, second)
        assert (await house.answers.stats()).entries == 1


async def test_the_last_host_that_leaves_ends_the_question() -> None:
    async with sidecar() as house:
        first, second = Heard(call(*COUNTING)), Heard(call(*COUNTING))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(arrive, house, first, 0, 2.5)
            tasks.start_soon(arrive, house, second, 0.5, 1.5)
        assert (first.ended, second.ended) == (2.5, 1.5)
        assert (first.attempts, second.attempts) == ([("cancelled", False)], [("cancelled", True)])
        assert first.call.attempts[0].usage == first.call.transcript.settled_usage(first.call.request.messages)
        house.told(first, second)
        assert (await house.answers.stats()).entries == 0


async def test_counts_that_come_with_the_end_are_told_to_the_last_who_left() -> None:
    async with sidecar() as house:
        engine = house.engine

        async def chat(call: Any, emit: Any) -> Any:
            try:
                return await type(engine).chat(engine, call, emit)
            finally:
                call.transcript.usage = COUNTED

        engine.chat = chat  # type: ignore[method-assign]
        heard = Heard(call(*COUNTING))
        await arrive(house, heard, 0, 1.5)
        assert heard.call.transcript.usage is COUNTED


COUNTED: Any = object()


async def test_who_asks_while_a_question_is_being_ended_asks_anew() -> None:
    async with sidecar() as house:
        engine, ending = house.engine, asyncio.Event()

        async def chat(call: Any, emit: Any) -> Any:
            try:
                return await type(engine).chat(engine, call, emit)
            finally:
                if len(house.asked) == 1:
                    await ending.wait()

        engine.chat = chat  # type: ignore[method-assign]
        first, second, third = (Heard(call(*COUNTING)) for _ in range(3))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(arrive, house, first, 0, 1.5)
            tasks.start_soon(arrive, house, second, 2)
            tasks.start_soon(arrive, house, third, 4)
            await asyncio.sleep(3)
            assert first.ended is None
            ending.set()
        assert len(house.asked) == 2
        assert second.text == third.text == "one two three"
        assert third.attempts == [("ok", True)]
        house.told(first, second, third)


async def test_a_host_that_gives_up_twice_is_told_of_one_attempt() -> None:
    async with sidecar() as house:
        engine, ending = house.engine, asyncio.Event()

        async def chat(call: Any, emit: Any) -> Any:
            try:
                return await type(engine).chat(engine, call, emit)
            finally:
                await ending.wait()

        engine.chat = chat  # type: ignore[method-assign]
        heard = Heard(call(*COUNTING))
        task = asyncio.ensure_future(house.run(heard))
        for _ in range(2):
            await asyncio.sleep(1.5)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ending.set()
        await asyncio.sleep(1)
        assert heard.attempts == [("cancelled", False)]
        house.told(heard)


async def test_a_failure_is_told_to_everybody_in_an_error_of_his_own() -> None:
    failing = (*say("one "), {"do": "error", "type": "rate_limited", "retry_after_ms": 7})
    async with sidecar() as house:
        heard = [Heard(call(*failing, retry=RetryOptions(0))) for _ in range(3)]
        async with anyio.create_task_group() as tasks:
            for one in heard:
                tasks.start_soon(arrive, house, one)
        errors = [one.error for one in heard]
        assert [error and (error.type, error.details["retry_after_ms"]) for error in errors] == [
            ("rate_limited", 7)
        ] * 3
        assert len({id(error) for error in errors}) == len({id(error.details) for error in errors if error}) == 3
        assert [one.text for one in heard] == ["one "] * 3
        assert [one.attempts for one in heard] == [[("error", False)], [("error", True)], [("error", True)]]
        assert not any(one.call.cached for one in heard)
        house.told(*heard)


async def test_what_was_refused_before_an_attempt_is_nobodys_attempt() -> None:
    async with sidecar() as house:
        heard = [Heard(call(*COUNTING)) for _ in range(2)]
        refuse = SidecarError("budget_exceeded")

        async def refusing(*_: Any) -> Any:
            await asyncio.sleep(1)
            raise refuse

        (cell,) = [c for c in house.ask.__closure__ if hasattr(c.cell_contents, "_handler")]  # type: ignore[attr-defined]
        cell.cell_contents._handler = refusing
        async with anyio.create_task_group() as tasks:
            for one in heard:
                tasks.start_soon(arrive, house, one)
        assert [one.error and one.error.type for one in heard] == ["budget_exceeded"] * 2
        assert [one.attempts for one in heard] == [[], []]
        assert house.entered == []


async def test_a_defect_reaches_everybody() -> None:
    async with sidecar() as house:

        async def ask() -> None:
            with pytest.raises(RuntimeError, match="a defect"):
                await house.run(Heard(call({"do": "pause", "ms": 10}, {"do": "defect"})))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            tasks.start_soon(ask)
        assert len(house.asked) == 1


async def test_a_host_that_fails_by_itself_fails_alone() -> None:
    class Stalled(Heard):
        async def emit(self, event: StreamEvent) -> None:
            del event
            raise SidecarError("client_stalled")

    async with sidecar() as house:
        stalled, well = Stalled(call(*COUNTING)), Heard(call(*COUNTING))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(arrive, house, stalled)
            tasks.start_soon(arrive, house, well)
        assert stalled.error
        assert stalled.error.type == "client_stalled"
        assert (stalled.attempts, well.attempts) == ([("error", True)], [("ok", False)])
        assert well.text == "one two three"
        house.told(stalled, well)


async def test_all_learn_what_is_awaited() -> None:
    steps = ({"do": "error", "type": "server_error", "attempts": 1}, *COUNTING)
    async with sidecar() as house:
        heard = [Heard(call(*steps)) for _ in range(2)]
        async with anyio.create_task_group() as tasks:
            for one in heard:
                tasks.start_soon(arrive, house, one)
            await asyncio.sleep(1)
            house.asked[0].report(Status(state="stalled", ms=8000))
        assert [one.states for one in heard] == [["retrying", "stalled"]] * 2


async def test_attempts_are_numbered_as_each_host_counts_them() -> None:
    steps = ({"do": "error", "type": "server_error", "attempts": 1}, *COUNTING)
    async with sidecar() as house:
        first, later = Heard(call(*steps)), Heard(call(*steps))
        later.call.attempts.append(Attempt(provider="p", model="m", outcome="error", duration_ms=0))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(arrive, house, first)
            tasks.start_soon(arrive, house, later)
        numbers = [[event.attempt for event in one.events if isinstance(event, Status)] for one in (first, later)]
        assert numbers == [[2], [3]]


async def test_who_else_can_be_asked_is_known_to_those_who_ask() -> None:
    other = Candidate(target=call().target, on=frozenset(), resolve=None)  # type: ignore[arg-type]
    async with sidecar() as house:
        heard = Heard(call())
        heard.call.others = (other,)
        await house.run(heard)
        assert house.asked[0].others == (other,)


OTHERS: list[dict[str, Any]] = [
    {"timeouts": Timeouts(idle=5)},
    {"retry": RetryOptions(1)},
    {"privacy": Privacy(local_only=True)},
    {"fallback": [Fallback("openai")]},
    {"cache": CacheOptions("on", 9)},
    {"tags": ["a"]},
    {"seed": 1},
]


@pytest.mark.parametrize("different", OTHERS, ids=lambda options: next(iter(options)))
async def test_only_those_share_an_answer_who_want_the_same_in_the_same_way(different: dict[str, Any]) -> None:
    async with sidecar() as house:
        same, other = Heard(call(*COUNTING)), Heard(call(*COUNTING))
        request = {name: getattr(other.call.request, name) for name in ChatRequest.__struct_fields__} | different
        other.call.request = ChatRequest(**request)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(arrive, house, same)
            tasks.start_soon(arrive, house, other)
        assert len(house.asked) == 2
        house.told(same, other)


@pytest.mark.parametrize("mode", ["read", "write", None])
async def test_only_those_share_an_answer_who_have_the_cache_on(mode: Any) -> None:
    async with sidecar() as house:
        heard = [Heard(call(*COUNTING, mode=mode)) for _ in range(2)]
        async with anyio.create_task_group() as tasks:
            for one in heard:
                tasks.start_soon(arrive, house, one)
        assert len(house.asked) == 2
        house.told(*heard)


async def test_a_kept_answer_is_looked_for_once_for_all() -> None:
    async with sidecar() as house:
        kept = await house.tell(*COUNTING)
        heard = [Heard(call(*COUNTING)) for _ in range(5)]
        async with anyio.create_task_group() as tasks:
            for one in heard:
                tasks.start_soon(arrive, house, one)
        assert len(house.asked) == 1
        assert [one.attempts for one in heard] == [[("ok", True)]] * 5
        assert (await house.answers.stats()).hits == 5
        house.told(kept, *heard)


@dataclass(frozen=True)
class Visit:
    at: float
    stays: float | None
    slow: float
    mode: Any
    stalls: bool


times = st.integers(0, 12).map(lambda halves: halves / 2)
visits = st.builds(
    Visit,
    at=times,
    stays=st.none() | times,
    slow=st.sampled_from([0.0, 0.3, 40.0]),
    mode=st.sampled_from(["on", "on", "on", "read", "write"]),
    stalls=st.booleans(),
)
scripts = st.lists(st.sampled_from(["word", "pause", "thinking", "fail once", "fail", "hang"]), max_size=8)


@given(st.lists(visits, min_size=1, max_size=6), scripts)
@settings(max_examples=300)
def test_however_hosts_come_and_go_each_hears_one_answer_from_its_start(visits: list[Visit], script: list[str]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(_live(visits, script))


async def _live(visits: list[Visit], script: list[str]) -> None:
    async with sidecar() as house:
        _answer_with_numbers(house, script)
        heard = [_visitor(visit) for visit in visits]
        async with anyio.create_task_group() as tasks:
            for one, visit in zip(heard, visits, strict=True):
                leaves = None if visit.stays is None and "hang" not in script else visit.at + (visit.stays or 9)
                tasks.start_soon(arrive, house, one, visit.at, leaves)
        whole = {answer.transcript.message().content[0].text for answer in house.asked if answer.transcript.parts}  # type: ignore[union-attr]
        for one in heard:
            assert not one.text or any(text.startswith(one.text) for text in whole)
            if one.completion:
                assert one.text in whole | {""}
                assert one.call.transcript.finish == FinishReason("stop")
            parts = one.call.transcript.message().content
            assert "".join(part.text for part in parts) == one.text  # type: ignore[union-attr]
        house.told(*heard)
        (cell,) = [c for c in house.ask.__closure__ if hasattr(c.cell_contents, "_flights")]  # type: ignore[attr-defined]
        assert cell.cell_contents._flights == {}


def _visitor(visit: Visit) -> Heard:
    return Heard(
        call(mode=visit.mode), slow=visit.slow, patience=3 if visit.stalls and visit.stays is not None else None
    )


def _answer_with_numbers(house: Sidecar, script: list[str]) -> None:
    """Have each answer say which one it is, in each of its words."""

    async def chat(call: Any, emit: Any) -> Any:
        number = len(house.asked)

        async def say(event: Any) -> None:
            if not isinstance(event, Status):
                call.transcript.add(event)
            await tell(emit, event)

        for step in script:
            match step:
                case "word":
                    await say(TextDelta(0, f"<{number}>"))
                case "pause":
                    await asyncio.sleep(1)
                case "thinking":
                    await say(Status(state="thinking"))
                case "hang":
                    await asyncio.Event().wait()
                case "fail once" if call.attempts:
                    pass
                case _:
                    raise SidecarError("server_error")
        await say(FinishReason("stop"))
        return call.completion()

    house.engine.chat = chat  # type: ignore[method-assign]

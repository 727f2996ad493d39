"""An answer that is kept is given again, as the stream that it was."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from cached_calls import Heard, call, sidecar
from calls import call_for
from inline_database import InlineDatabase
from msgspec.structs import replace
from virtual_time import VIRTUAL_TIME

from sidecar.concurrency import TaskGroup, move_on_after
from sidecar.handler import Call, Completion, Emit, tell
from sidecar.middleware.cache import LARGE, UNAVAILABLE, cache
from sidecar.middleware.cache_key import digest as cache_key_digest
from sidecar.schema.chat import FinishReason, Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta, UsageDelta
from sidecar.schema.policies import CacheOptions
from sidecar.schema.session import Limits
from sidecar.schema.usage import Attempt, Cost
from sidecar.storage.answers import Answers
from sidecar.storage.ledger import Ledger

pytestmark = pytest.mark.anyio

COUNTS = {"do": "usage", "usage": {"input_tokens": 7, "output_tokens": 9}}
ALL = (
    {"do": "status", "state": "thinking"},
    {"do": "warning", "type": "unsupported_parameter", "message": "Left out."},
    {"do": "reasoning", "text": "Well"},
    {"do": "text", "text": "a", "index": 1},
    {"do": "text", "text": "b", "index": 1},
    {"do": "tool_call", "index": 2, "id": "c", "name": "f"},
    {"do": "tool_call", "index": 2, "arguments": "{}"},
    COUNTS,
    {"do": "cost", "amount": "0.25"},
    {"do": "finish", "reason": "tool_calls", "raw": "tool_use"},
)
FREE = Cost(amount="0", source="cache")


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL_TIME


async def test_the_second_time_the_kept_answer_is_streamed() -> None:
    async with sidecar() as house:
        first, second = await house.tell(*ALL), await house.tell(*ALL)
        assert len(house.asked) == 1
        house.told(first, second)
        saved = [str(entry.response_savings) for entry in house.entered]
    assert second.events == [
        Warning("unsupported_parameter", "Left out."),
        ReasoningDelta(0, "Well"),
        TextDelta(1, "ab"),
        ToolCallDelta(2, "c", "f", "{}"),
        UsageDelta(input_tokens=7, output_tokens=9),
        FinishReason("tool_calls", "tool_use"),
    ]
    one, other = first.completion, second.completion
    assert one is not None
    assert other is not None
    assert (other.message, other.finish_reason, other.usage) == (one.message, one.finish_reason, one.usage)
    assert second.call.transcript.warnings == first.call.transcript.warnings
    assert (one.cost, other.cost) == (Cost(amount="0.25", source="provider"), FREE)
    assert (first.call.cached, second.call.cached) == (False, True)
    (attempt,) = second.call.attempts
    expected = Attempt(provider="scripted", model="script-1", outcome="ok", duration_ms=0, cost=FREE, cached=True)
    assert replace(attempt, duration_ms=0) == expected
    assert saved == ["0", "0.25"]


async def test_what_was_estimated_is_estimated_the_same() -> None:
    async with sidecar() as house:
        first, second = await house.tell(), await house.tell()
    assert first.completion
    assert second.completion
    assert first.completion.usage == second.completion.usage
    assert second.completion.usage.source == "estimated"


async def test_the_way_to_structured_output_is_kept() -> None:
    async def answer(call: Call, emit: Emit) -> Completion:
        call.structured = "tool"
        call.transcript.add(TextDelta(0, "{}"))
        await tell(emit, TextDelta(0, "{}"))
        call.transcript.add(FinishReason("stop"))
        await tell(emit, FinishReason("stop"))
        return call.completion()

    async with TaskGroup() as tasks:
        ask = cache(Answers(InlineDatabase(), Limits()), Ledger(InlineDatabase()), tasks)(answer)
        calls = [call(), call()]
        for one in calls:
            await ask(one, Heard(one).emit)
        assert [(one.structured, one.cached) for one in calls] == [("tool", False), ("tool", True)]


@pytest.mark.parametrize("mode", [None, "off"])
async def test_without_the_cache_nothing_is_wrapped(mode: Any) -> None:
    async def answer(call: Call, emit: Emit) -> Completion:
        raise AssertionError((call, emit))

    async with TaskGroup() as tasks:
        ask = cache(Answers(InlineDatabase(), Limits()), Ledger(InlineDatabase()), tasks)(answer)
        coroutine: Any = ask(call(mode=mode), Heard(call()).emit)
        assert coroutine.cr_code is answer.__code__
        coroutine.close()


@pytest.mark.parametrize(
    ("first", "second", "asked"),
    [
        ("on", "on", 1),
        ("on", "read", 1),
        ("on", "write", 2),
        ("on", None, 2),
        ("on", "off", 2),
        ("write", "on", 1),
        ("write", "read", 1),
        ("write", "write", 2),
        ("read", "on", 2),
        ("read", "read", 2),
        ("off", "read", 2),
        (None, "on", 2),
    ],
)
async def test_a_request_says_whether_it_looks_and_whether_it_is_kept(first: Any, second: Any, asked: int) -> None:
    async with sidecar() as house:
        heard = [await house.tell(mode=first), await house.tell(mode=second)]
        assert len(house.asked) == asked
        assert [one.text for one in heard] == ["Hello", "Hello"]
        house.told(*heard)


async def test_what_is_written_anew_takes_the_place_of_what_was_kept() -> None:
    flaky = ({"do": "text", "text": "A"}, {"do": "finish"})
    async with sidecar() as house:
        await house.tell(*flaky, mode="write")
        assert (await house.answers.stats()).entries == 1
        await anyio.sleep(5)
        await house.tell(*flaky, mode="write")
        assert (await house.answers.stats()).entries == 1
        await anyio.sleep(6)
        await house.tell(*flaky, ttl_s=10)
        assert len(house.asked) == 2


@pytest.mark.parametrize(
    ("kept_for", "wanted", "limit", "fresh_until"),
    [
        (10, None, 100, 10),
        (None, 10, 100, 10),
        (10, 20, 100, 10),
        (20, 10, 100, 10),
        (None, None, 10, 10),
        (50, 50, 10, 10),
    ],
)
async def test_an_answer_is_as_old_as_both_sides_and_the_limit_allow(
    kept_for: int | None, wanted: int | None, limit: int, fresh_until: int
) -> None:
    async with sidecar(cache_ttl_s=limit) as house:
        await house.tell(mode="write", ttl_s=kept_for)
        await anyio.sleep(fresh_until - 0.5)
        await house.tell(mode="read", ttl_s=wanted)
        assert len(house.asked) == 1
        await anyio.sleep(1)
        await house.tell(mode="read", ttl_s=wanted)
        assert len(house.asked) == 2


def ending(**finish: Any) -> tuple[Any, ...]:
    return ({"do": "text", "text": "Hel"}, {"do": "finish"} | finish)


INCOMPLETE = {
    "cut short": ending(reason="length"),
    "filtered": ending(reason="content_filter"),
    "refused": ending(reason="refusal"),
    "paused": ending(reason="pause"),
    "failed in the provider's words": ending(reason="error"),
    "unknown": ending(reason="other"),
    "cancelled": ending(reason="cancelled"),
    "empty": ({"do": "finish"},),
    "interrupted": ({"do": "text", "text": "Hel"},),
    "failed": ({"do": "error", "type": "server_error"},),
}


@pytest.mark.parametrize("steps", INCOMPLETE.values(), ids=INCOMPLETE)
@pytest.mark.parametrize("mode", ["on", "write"])
async def test_an_answer_that_is_not_whole_is_not_kept(steps: tuple[Any, ...], mode: Any) -> None:
    async with sidecar() as house:
        heard = [await house.tell(*steps, mode=mode), await house.tell(*steps)]
        assert (await house.answers.stats()).entries == 0
        assert not any(one.call.cached for one in heard)
        house.told(*heard)


async def test_an_answer_that_is_cancelled_is_not_kept() -> None:
    steps = ({"do": "text", "text": "Hel"}, {"do": "pause", "ms": 9000}, {"do": "finish"})
    async with sidecar() as house:
        heard = Heard(call(*steps))
        async with move_on_after(1):
            await house.run(heard)
        assert (await house.answers.stats()).entries == 0
        assert heard.attempts == [("cancelled", False)]
        house.told(heard)


class Flaky:
    """Says something of itself and fails, so many times, before it answers, if it does."""

    def __init__(self, failures: int, *, answers: bool) -> None:
        self.failures = failures
        self.answers = answers

    async def __call__(self, call: Call, emit: Emit) -> Completion:
        failed = len(call.attempts)
        said = [Warning("w", "In vain."), UsageDelta(input_tokens=7)] if failed < self.failures else []
        answer = [TextDelta(0, "There."), FinishReason("stop")] if failed == self.failures and self.answers else []
        for event in (*said, *answer):
            call.transcript.add(event)
            await tell(emit, event)
        if not answer:
            raise SidecarError("provider_overloaded")
        return call.completion()


async def test_what_a_failed_attempt_said_of_itself_is_forgotten() -> None:
    async with sidecar() as house:
        house.engine.chat = Flaky(1, answers=True)  # type: ignore[assignment]
        first, second = await house.tell(), await house.tell()
        assert len(house.asked) == 2
        kept = await house.answers.stats()
    assert first.attempts == [("error", False), ("ok", False)]
    assert first.states == ["retrying"]
    assert first.call.transcript.warnings == []
    assert first.completion
    assert first.completion.usage.source == "estimated"
    assert second.events == [TextDelta(0, "There."), FinishReason("stop")]
    assert kept.entries == 1


async def test_it_is_forgotten_also_when_the_last_attempt_says_nothing() -> None:
    async with sidecar() as house:
        house.engine.chat = Flaky(2, answers=False)  # type: ignore[assignment]
        heard = await house.tell()
    assert heard.attempts == [("error", False)] * 3
    assert heard.call.transcript.warnings == []
    assert heard.call.transcript.usage is None


async def test_a_replay_that_is_cancelled_is_a_cancelled_attempt() -> None:
    async with sidecar() as house:
        first = await house.tell(*ALL)
        second = Heard(call(*ALL), patience=0)
        async with move_on_after(1):
            await house.run(second)
        house.told(first, second)
    assert second.attempts == [("cancelled", True)]
    assert second.call.cached
    assert second.call.cost == FREE
    assert str(house.entered[-1].response_savings) == "0"


async def test_an_answer_longer_than_the_limit_is_not_kept() -> None:
    async with sidecar(cache_answer_bytes=300) as house:
        for text, entries in (("x" * 300, 0), ("x" * 10, 1)):
            await house.tell({"do": "text", "text": text}, {"do": "finish"})
            assert (await house.answers.stats()).entries == entries


def broken() -> InlineDatabase:
    class Broken(InlineDatabase):
        async def ask(self, job: Any) -> Any:
            raise OSError(job)

    return Broken()


def stuck() -> InlineDatabase:
    class Stuck(InlineDatabase):
        async def ask(self, job: Any) -> Any:
            del job
            await asyncio.Event().wait()

    return Stuck()


@pytest.mark.parametrize("database", [broken, stuck])
async def test_without_a_database_the_question_is_asked_and_the_host_warned(
    database: Callable[[], InlineDatabase],
) -> None:
    async with sidecar(database(), storage_ms=2000) as house:
        for number in (1, 2):
            heard = await house.tell()
            assert heard.text == "Hello"
            assert heard.call.warnings == [UNAVAILABLE]
            assert len(house.asked) == number
            assert asyncio.get_running_loop().time() <= 2 * number
            assert heard.attempts == [("ok", False)]


async def test_an_answer_that_cannot_be_read_is_asked_for_anew() -> None:
    async with sidecar() as house:
        await house.tell()
        await house.database.ask(lambda connection: connection.execute("UPDATE answers SET answer = '{\"deltas\":'"))
        second, third = await house.tell(), await house.tell()
        assert (second.call.cached, second.call.warnings, third.call.cached) == (False, [], True)
        assert len(house.asked) == 2


async def test_hits_and_misses_are_counted() -> None:
    async with sidecar() as house:
        await house.tell()
        await house.tell()
        await house.tell(mode="read")
        await house.tell(mode="write")
        await house.tell(mode=None)
        await house.tell(mode="read", seed=1)
        found = await house.answers.stats()
    assert (found.entries, found.hits, found.misses, found.joined, found.stored) == (1, 2, 2, 0, 2)


async def test_a_long_answer_that_is_kept_leaves_others_their_turn() -> None:
    steps = [{"do": "text", "text": "x", "index": number % 2} for number in range(1000)]
    async with sidecar() as house:
        await house.tell(*steps, {"do": "finish"})
        turn, turns = 0, set[int]()

        class Watching(Heard):
            async def emit(self, event: StreamEvent) -> None:
                await tell(super().emit, event)
                turns.add(turn)

        async def count() -> None:
            nonlocal turn
            while True:
                await asyncio.sleep(0)
                turn += 1

        heard = Watching(call(*steps, {"do": "finish"}))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(count)
            await house.run(heard)
            tasks.cancel_scope.cancel()
        assert len(heard.events) == 1001
        assert len(turns) >= 3


@pytest.mark.parametrize(("size", "on_the_loop"), [(LARGE, [False] * 2), (1000, [True] * 2)])
async def test_only_the_digest_of_a_large_question_is_made_in_a_thread(
    monkeypatch: pytest.MonkeyPatch, size: int, on_the_loop: list[bool]
) -> None:
    threads = []

    def digest(*args: Any) -> bytes:
        threads.append(threading.current_thread())
        return cache_key_digest(*args)

    monkeypatch.setattr("sidecar.middleware.cache_key.digest", digest)
    async with sidecar() as house:
        for _ in range(2):
            heard = Heard(call_for("x" * size, cache=CacheOptions()))
            await house.run(heard)
        assert len(house.asked) == 1
        assert heard.call.cached
    assert [thread is threading.main_thread() for thread in threads] == on_the_loop

"""Requests wait for their turn, in virtual time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from calls import call_for
from msgspec.structs import replace
from virtual_time import VIRTUAL_TIME

from sidecar.handler import Call, ChatHandler, Completion, Emit
from sidecar.middleware.quotas import UNTOLD_S
from sidecar.middleware.rate_limit import MAX_KEYS, OUTPUT_TOKENS, _Lines, rate_limit
from sidecar.middleware.retry import retry
from sidecar.providers.scripted import ScriptedConfig
from sidecar.schema.chat import FinishReason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status, StreamEvent
from sidecar.schema.policies import RateLimits
from sidecar.schema.secret import Secret
from sidecar.schema.session import Limits
from sidecar.schema.usage import Attempt, Usage

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL_TIME


async def ignore(event: StreamEvent) -> None:
    del event


@dataclass
class Provider:
    """What is asked in the end. It answers after so many seconds, with headers; or refuses the first requests."""

    seconds: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    usage: Usage | None = None
    refusals: list[SidecarError] = field(default_factory=list)
    unsent: bool = False
    asked: list[tuple[float, str]] = field(default_factory=list)

    async def __call__(self, call: Call, emit: Emit) -> Completion:
        del emit
        self.asked.append((anyio.current_time(), call.target.model))
        call.sent = not self.unsent
        error = self.refusals.pop(0) if self.refusals else None
        try:
            call.heard(self.headers)
            await anyio.sleep(self.seconds)
            if error is not None:
                raise error
        finally:
            outcome = "ok" if error is None else "error"
            attempt = Attempt(provider=call.target.id, model=call.target.model, outcome=outcome, duration_ms=0)
            call.attempts.append(replace(attempt, usage=None if error else self.usage))
        call.transcript.add(FinishReason("stop"))
        return call.completion()

    @property
    def times(self) -> list[float]:
        return [time for time, _ in self.asked]


def limited_call(
    limits: RateLimits | None = None, *, model: str = "m", key: str | None = None, report: Any = None, **options: Any
) -> Call:
    call = call_for(**options)
    config = ScriptedConfig(rate_limits=limits)
    call.target = replace(call.target, config=config, model=model, key=Secret(key) if key else None)
    call.report = report or call.report
    return call


async def ask_all(handler: ChatHandler, *calls: Call) -> list[SidecarError | None]:
    """Ask all at the same time, and return what went wrong with each."""
    outcomes: list[SidecarError | None] = [None] * len(calls)

    async def ask(number: int, call: Call) -> None:
        try:
            await handler(call, ignore)
        except SidecarError as error:
            outcomes[number] = error

    async with anyio.create_task_group() as tasks:
        for number, call in enumerate(calls):
            tasks.start_soon(ask, number, call)
    return outcomes


def left_behind() -> list[Any]:
    loop: Any = asyncio.get_running_loop()
    return [timer for timer in loop._scheduled if not timer.cancelled()]


class Told:
    """What a host is told, and when."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, int | None]] = []

    def __call__(self, status: Status) -> None:
        assert status == Status(state="rate_limited", wait_ms=status.wait_ms)
        self.heard.append((anyio.current_time(), status.wait_ms))


async def test_without_limits_nobody_waits_and_nothing_is_told() -> None:
    provider, told = Provider(seconds=1.0), Told()
    await ask_all(rate_limit(Limits())(provider), *(limited_call(report=told) for _ in range(50)))
    assert (provider.times, told.heard) == ([0.0] * 50, [])


async def test_requests_beyond_the_limit_wait_and_the_host_is_told_for_how_long() -> None:
    provider, told = Provider(), Told()
    limits = RateLimits(requests_per_minute=2)
    await ask_all(rate_limit(Limits())(provider), *(limited_call(limits, report=told) for _ in range(5)))
    assert provider.times == [0.0, 0.0, 60.0, 60.0, 120.0]
    assert told.heard == [(0.0, 60_000), (0.0, 60_000), (0.0, 120_000)]
    assert left_behind() == []


async def test_tokens_beyond_the_limit_wait_until_it_is_known_what_was_used() -> None:
    provider = Provider(seconds=5.0, usage=Usage(input_tokens=300, output_tokens=200))
    limits = RateLimits(tokens_per_minute=1500)
    handler = rate_limit(Limits())(provider)
    await ask_all(handler, *(limited_call(limits, max_tokens=999) for _ in range(3)))
    assert provider.times == [0.0, 5.0, 60.0]


async def test_an_answer_of_unknown_length_is_taken_to_be_of_some_length() -> None:
    provider, limits = Provider(seconds=1.0), RateLimits(tokens_per_minute=2 * OUTPUT_TOKENS)
    await ask_all(rate_limit(Limits())(provider), *(limited_call(limits) for _ in range(2)))
    assert provider.times == [0.0, 1.0]


async def test_no_more_run_at_the_same_time_than_may() -> None:
    provider, told = Provider(seconds=3.0), Told()
    limits = RateLimits(concurrency=2)
    await ask_all(rate_limit(Limits())(provider), *(limited_call(limits, report=told) for _ in range(5)))
    assert provider.times == [0.0, 0.0, 3.0, 3.0, 6.0]
    assert told.heard == [(0.0, None)] * 3


async def test_what_earlier_attempts_used_is_not_counted_again() -> None:
    used = Usage(output_tokens=60)
    provider, limits = Provider(usage=used), RateLimits(tokens_per_minute=130)
    handler, call = rate_limit(Limits())(provider), limited_call(limits, max_tokens=60)
    call.attempts.append(Attempt(provider="p", model="m", outcome="error", duration_ms=0, usage=used))
    await handler(call, ignore)
    await handler(limited_call(limits, max_tokens=60), ignore)
    assert provider.times == [0.0, 0.0]


async def test_a_refused_request_uses_no_tokens_and_one_that_was_not_sent_nothing() -> None:
    limits = RateLimits(requests_per_minute=1, tokens_per_minute=10_000)
    provider = Provider(refusals=[SidecarError("connect")], unsent=True)
    handler = rate_limit(Limits())(provider)
    await ask_all(handler, limited_call(limits), limited_call(limits))
    assert provider.times == [0.0, 0.0]
    provider = Provider(refusals=[SidecarError("request_rejected", http_status=400)])
    limits = RateLimits(requests_per_minute=2, tokens_per_minute=1000)
    handler = rate_limit(Limits())(provider)
    await ask_all(handler, limited_call(limits), limited_call(limits), limited_call(limits))
    assert provider.times == [0.0, 0.0, 60.0]


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ({"key": "k-1"}, {"key": "k-1"}, True),
        ({"key": "k-1"}, {"key": "k-2"}, False),
        ({"key": "k-1"}, {}, False),
        ({}, {"model": "n"}, True),
        ({}, {}, True),
    ],
)
async def test_configured_limits_are_for_each_key(one: Any, other: Any, *, together: bool) -> None:
    provider, limits = Provider(), RateLimits(requests_per_minute=1)
    await ask_all(rate_limit(Limits())(provider), limited_call(limits, **one), limited_call(limits, **other))
    assert provider.times == [0.0, 60.0 if together else 0.0]


async def test_a_line_cannot_be_traced_back_to_its_key() -> None:
    """What stands for a key says nothing of it, and the key itself can go."""
    target = limited_call(key="sk-secret").target
    lines = _Lines(max_queued=1)
    assert lines.of(target) is lines.of(target)
    ((id_, endpoint, stand_in),) = lines._lines
    assert (id_, endpoint, stand_in) == (target.id, target.endpoint, hash(target.key))
    assert isinstance(stand_in, int)


@pytest.mark.parametrize("change", [{"id": "another"}, {"endpoint": "https://another.test"}])
async def test_configured_limits_are_for_each_instance_and_endpoint(change: Any) -> None:
    provider, limits = Provider(), RateLimits(requests_per_minute=1)
    other = limited_call(limits)
    other.target = replace(other.target, **change)
    await ask_all(rate_limit(Limits())(provider), limited_call(limits), other)
    assert provider.times == [0.0, 0.0]


async def test_a_changed_limit_counts_from_the_next_request_on() -> None:
    provider = Provider()
    handler = rate_limit(Limits())(provider)
    await ask_all(handler, limited_call(RateLimits(requests_per_minute=1)))
    await ask_all(handler, limited_call(RateLimits(requests_per_minute=2)))
    await ask_all(handler, limited_call(RateLimits(requests_per_minute=2)))
    assert provider.times == [0.0, 0.0, 60.0]


async def test_keys_in_use_are_not_forgotten() -> None:
    provider, limits = Provider(seconds=1.0), RateLimits(concurrency=1)
    handler = rate_limit(Limits())(provider)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_all, handler, limited_call(limits, key="first"))
        await anyio.lowlevel.checkpoint()
        tasks.start_soon(ask_all, handler, *(limited_call(limits, key=f"k-{n}") for n in range(MAX_KEYS + 1)))
        await anyio.lowlevel.checkpoint()
        await ask_all(handler, limited_call(limits, key="first"))
    assert sorted(provider.times) == [0.0] * (MAX_KEYS + 2) + [1.0]


async def test_the_keys_longest_unused_are_forgotten() -> None:
    provider, limits = Provider(), RateLimits(requests_per_minute=1)
    handler = rate_limit(Limits(max_wait_ms=1))(provider)
    names = [f"k-{number}" for number in range(MAX_KEYS)]
    await ask_all(handler, *(limited_call(limits, key=key) for key in names))
    first_again = await ask_all(handler, limited_call(limits, key="k-0"))
    others = await ask_all(handler, *(limited_call(limits, key=key) for key in ("new", "k-1", "k-0")))
    assert [error and error.type for error in first_again + others] == ["rate_limited", None, None, "rate_limited"]


class TestErrors:
    async def test_who_would_wait_too_long_is_told_at_once(self) -> None:
        provider, limits = Provider(), RateLimits(requests_per_minute=1)
        handler = rate_limit(Limits(max_wait_ms=60_000))(provider)
        outcomes = await ask_all(handler, *(limited_call(limits) for _ in range(3)))
        assert [error and (error.type, error.details) for error in outcomes] == [
            None,
            None,
            ("rate_limited", {"stage": "queue", "retry_after_ms": 120_000}),
        ]
        assert outcomes[2] is not None
        assert outcomes[2].message == "The rate limit would hold the request back for 120 s, longer than it may."

    async def test_who_waits_in_vain_is_told_in_the_end(self) -> None:
        provider, told = Provider(seconds=100.0), Told()
        limits = RateLimits(concurrency=1)
        handler = rate_limit(Limits(max_wait_ms=5_000))(provider)
        with anyio.move_on_after(50):
            outcomes = await ask_all(handler, limited_call(limits), limited_call(limits, report=told))
        started = anyio.current_time()
        outcomes = await ask_all(handler, limited_call(limits), limited_call(limits, report=told))
        assert outcomes[0] is None
        assert outcomes[1] is not None
        assert outcomes[1].details == {"stage": "queue"}
        assert outcomes[1].message == "The rate limit has held the request back for as long as it may."
        assert provider.times == [0.0, started]

    async def test_those_who_wait_already_are_told_when_it_turns_out_to_be_too_long(self) -> None:
        provider = Provider(seconds=4.0, refusals=[SidecarError("rate_limited", retry_after_ms=3_600_000)])
        limits = RateLimits(concurrency=1)
        outcomes = await ask_all(rate_limit(Limits())(provider), limited_call(limits), limited_call(limits))
        assert [error and error.details.get("retry_after_ms") for error in outcomes] == [3_600_000, 3_600_000]
        assert anyio.current_time() == 4.0

    async def test_the_queue_is_bounded(self) -> None:
        provider, told = Provider(seconds=1.0), Told()
        limits = RateLimits(concurrency=1)
        handler = rate_limit(Limits(max_queued=2))(provider)
        outcomes = await ask_all(handler, *(limited_call(limits, report=told) for _ in range(4)))
        assert [error and (error.type, error.message, error.details) for error in outcomes] == [
            None,
            None,
            None,
            ("rate_limited", "2 requests wait for the rate limit already.", {"stage": "queue"}),
        ]
        assert told.heard == [(0.0, None)] * 2

    async def test_who_has_waited_does_not_wait_again(self) -> None:
        provider, limits = Provider(), RateLimits(requests_per_minute=1)
        handler = retry(rate_limit(Limits(max_wait_ms=10_000))(provider))
        outcomes = await ask_all(handler, limited_call(limits), limited_call(limits))
        assert [error and error.details.get("retry_after_ms") for error in outcomes] == [None, 60_000]
        assert anyio.current_time() == 0.0


class TestCancelling:
    async def test_who_gives_up_makes_room_for_the_next(self) -> None:
        provider, told, limits = Provider(), Told(), RateLimits(requests_per_minute=1)
        handler = rate_limit(Limits())(provider)
        await handler(limited_call(limits), ignore)

        async def impatient() -> None:
            with anyio.move_on_after(10):
                await handler(limited_call(limits), ignore)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(impatient)
            await anyio.lowlevel.checkpoint()
            tasks.start_soon(handler, limited_call(limits, report=told), ignore)
        assert provider.times == [0.0, 60.0]
        assert told.heard == [(0.0, 120_000), (10.0, 50_000)]

    @pytest.mark.parametrize("when", [4.0, 5.0])
    async def test_a_turn_that_comes_at_the_moment_of_giving_up_goes_to_the_next(self, when: float) -> None:
        provider, limits = Provider(seconds=5.0), RateLimits(concurrency=1)

        async def provide(call: Call, emit: Emit) -> Completion:
            completion = await provider(call, emit)
            if when == anyio.current_time():
                second.cancel()
            return completion

        handler, loop = rate_limit(Limits())(provide), asyncio.get_running_loop()
        first, second, third = (loop.create_task(handler(limited_call(limits), ignore)) for _ in range(3))
        loop.call_at(4.0, lambda: second.cancel() if when == loop.time() else None)
        await asyncio.wait([first, second, third])
        assert (second.cancelled(), provider.times, left_behind()) == (True, [0.0, 5.0], [])

    async def test_who_gives_up_when_the_wait_turns_out_to_be_too_long_has_given_up(self) -> None:
        provider, limits = Provider(seconds=5.0), RateLimits(concurrency=1)
        handler, loop = rate_limit(Limits(max_wait_ms=2_000))(provider), asyncio.get_running_loop()
        first, second = (loop.create_task(handler(limited_call(limits), ignore)) for _ in range(2))
        await asyncio.sleep(0)
        loop.call_at(2.0, second.cancel)
        await asyncio.wait([first, second])
        assert (second.cancelled(), provider.times) == (True, [0.0])

    async def test_of_the_last_who_gives_up_nothing_is_left(self) -> None:
        limits = RateLimits(requests_per_minute=1)
        handler = rate_limit(Limits())(Provider())
        await handler(limited_call(limits), ignore)
        with anyio.move_on_after(10):
            await handler(limited_call(limits), ignore)
        assert (anyio.current_time(), left_behind()) == (10.0, [])

    async def test_an_attempt_that_is_cancelled_makes_room(self) -> None:
        provider, limits = Provider(seconds=50.0), RateLimits(concurrency=1)
        handler = rate_limit(Limits())(provider)
        with anyio.move_on_after(1):
            await handler(limited_call(limits), ignore)
        await handler(limited_call(limits), ignore)
        assert provider.times == [0.0, 1.0]


def told_of(remaining: int, reset: str, limit: int | None = None) -> dict[str, str]:
    said = {"x-ratelimit-remaining-requests": str(remaining), "x-ratelimit-reset-requests": reset}
    return said if limit is None else said | {"x-ratelimit-limit-requests": str(limit)}


class TestLearning:
    async def test_what_is_used_up_is_waited_for(self) -> None:
        provider, told = Provider(headers=told_of(0, "6s")), Told()
        handler = rate_limit(Limits())(provider)
        await handler(limited_call(), ignore)
        await ask_all(handler, limited_call(report=told), limited_call(model="other"))
        assert provider.asked == [(0.0, "m"), (0.0, "other"), (6.0, "m")]
        assert told.heard == [(0.0, 6_000)]

    async def test_as_many_go_as_are_left(self) -> None:
        provider = Provider(headers=told_of(3, "6s"), seconds=1.0)
        handler = rate_limit(Limits())(provider)
        await handler(limited_call(), ignore)
        provider.headers = {}
        await ask_all(handler, *(limited_call() for _ in range(5)))
        assert provider.times == [0.0, 1.0, 1.0, 1.0, 6.0, 6.0]

    async def test_news_change_the_wait(self) -> None:
        news, told, times = [told_of(0, "9s"), told_of(0, "60s"), told_of(1, "9s")], Told(), list[float]()

        async def provider(call: Call, emit: Emit) -> Completion:
            times.append(anyio.current_time())
            await anyio.sleep(5 * len(times))
            call.heard(news[0] if len(news) == 1 else news.pop(0))
            return await Provider(seconds=50.0)(call, emit)

        handler = rate_limit(Limits())(provider)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask_all, handler, *(limited_call() for _ in range(3)))
            await anyio.sleep(5)
            tasks.start_soon(ask_all, handler, limited_call(report=told))
        assert times == [0.0, 0.0, 0.0, 15.0]
        assert told.heard == [(5.0, 9_000), (10.0, 60_000)]

    async def test_a_question_that_needs_more_tokens_than_are_left_waits(self) -> None:
        said = {
            "x-ratelimit-limit-tokens": "1000",
            "x-ratelimit-remaining-tokens": "100",
            "x-ratelimit-reset-tokens": "54s",
        }
        provider = Provider(headers=said)
        handler = rate_limit(Limits())(provider)
        await handler(limited_call(), ignore)
        await ask_all(handler, limited_call(content="x" * 800))
        provider.headers = {}
        await ask_all(handler, limited_call(content="x" * 1600))
        assert provider.times == [0.0, 0.0, pytest.approx(6.0)]

    async def test_a_refusal_holds_the_others_back_but_the_refused_request_does_not_wait_twice(self) -> None:
        refusal = SidecarError("rate_limited", retry_after_ms=4_000, http_status=429)
        provider, told, retried = Provider(refusals=[refusal]), Told(), Told()
        handler = retry(rate_limit(Limits())(provider))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(handler, limited_call(report=retried), ignore)
            await anyio.lowlevel.checkpoint()
            await anyio.sleep(1)
            tasks.start_soon(handler, limited_call(report=told), ignore)
        assert provider.times == [0.0, 4.0, pytest.approx(4.05, abs=0.05)]
        assert (told.heard, retried.heard) == ([(1.0, 3_000)], [])

    async def test_a_refusal_without_a_word_holds_the_others_back_for_a_moment(self) -> None:
        provider, told = Provider(refusals=[SidecarError("rate_limited", http_status=429)]), Told()
        handler = rate_limit(Limits())(provider)
        await ask_all(handler, limited_call())
        await ask_all(handler, limited_call(report=told))
        assert (provider.times, told.heard) == ([0.0, UNTOLD_S], [(0.0, round(UNTOLD_S * 1000))])

    async def test_other_failures_hold_nobody_back(self) -> None:
        provider = Provider(refusals=[SidecarError("provider_overloaded", retry_after_ms=9_000)])
        handler = rate_limit(Limits())(provider)
        await ask_all(handler, limited_call())
        await ask_all(handler, limited_call())
        assert provider.times == [0.0, 0.0]

    async def test_a_request_that_comes_again_goes_before_those_that_have_waited_less(self) -> None:
        refusal = SidecarError("rate_limited", retry_after_ms=4_000, http_status=429)
        provider, limits = Provider(seconds=5.0, refusals=[refusal]), RateLimits(concurrency=1)
        handler = retry(rate_limit(Limits())(provider))
        await ask_all(handler, *(limited_call(limits, model=model) for model in ("a", "b", "c")))
        assert [model for _, model in provider.asked] == ["a", "b", "a", "c"]

    @pytest.mark.parametrize("elsewhere", [{"provider": "p"}, {"model": "other"}])
    async def test_who_was_refused_elsewhere_waits_like_anybody(self, elsewhere: Any) -> None:
        provider, limits = Provider(seconds=5.0), RateLimits(concurrency=1)
        call = limited_call(limits, model="last")
        failed = Attempt(provider=call.target.id, model="last", outcome="error", duration_ms=0)
        call.attempts.append(replace(failed, **elsewhere))
        handler = rate_limit(Limits())(provider)
        await ask_all(handler, limited_call(limits), limited_call(limits), call)
        assert [model for _, model in provider.asked] == ["m", "m", "last"]

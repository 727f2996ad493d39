"""Whoever comes, goes and gives up: what always holds of rate limits. In virtual time."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from calls import call_for
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from virtual_time import VirtualTimeLoop

from sidecar.handler import Call, ChatHandler, Completion, Emit
from sidecar.middleware.rate_limit import rate_limit
from sidecar.middleware.windows import GRAIN_S, WINDOW_S
from sidecar.providers.scripted import ScriptedConfig
from sidecar.schema.chat import FinishReason
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import StreamEvent
from sidecar.schema.policies import RateLimits
from sidecar.schema.session import Limits
from sidecar.schema.usage import Attempt, Usage

LONGEST_WAIT_S: Final = 100.0
LEEWAY_S: Final = 1e-6

SECONDS = st.integers(0, 8 * 50).map(lambda eighths: eighths / 8)
"""Numbers that floats add up exactly."""


@dataclass(frozen=True)
class Visit:
    """A request: how long after the one before it comes, how long its answer takes, what becomes of it."""

    pause: float
    seconds: float
    model: str = "a"
    max_tokens: int = 1
    tokens: int = 0
    leaves: float | None = None
    sent: bool = True
    refusal: SidecarError | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Seen:
    """What became of a visit."""

    visit: Visit
    came: float
    began: float | None = None
    ended: float | None = None
    left: float | None = None
    error: SidecarError | None = None


def plain(**other: Any) -> st.SearchStrategy[Visit]:
    return st.builds(
        Visit,
        pause=SECONDS,
        seconds=SECONDS,
        leaves=st.none() | SECONDS,
        sent=st.sampled_from([True, True, False]),
        **other,
    )


REFUSALS = st.sampled_from([None, 0, 250, 20_000, 90_000, 900_000]).map(
    lambda ms: SidecarError("rate_limited", retry_after_ms=ms, http_status=429)
)
HEADERS = st.builds(
    lambda limit, share, reset, tokens: {
        "x-ratelimit-limit-requests": str(limit),
        "x-ratelimit-remaining-requests": str(limit * share // 4),
        "x-ratelimit-reset-requests": f"{reset}ms",
        "x-ratelimit-remaining-tokens": str(tokens),
        "x-ratelimit-reset-tokens": "45s",
    },
    st.integers(-1, 9),
    st.integers(0, 4),
    st.integers(0, 200_000),
    st.integers(0, 2),
)
TROUBLED = plain(
    model=st.sampled_from("ab"),
    max_tokens=st.integers(1, 60),
    tokens=st.integers(0, 60),
    refusal=st.none() | REFUSALS,
    headers=st.just({}) | HEADERS,
)
LIMITS = st.builds(
    RateLimits,
    st.none() | st.integers(1, 5),
    st.none() | st.integers(1, 80),
    st.none() | st.integers(1, 4),
)


def run(limits: RateLimits, visits: list[Visit], max_queued: int = 1024) -> list[Seen]:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_run(limits, visits, max_queued))


async def _run(limits: RateLimits, visits: list[Visit], max_queued: int) -> list[Seen]:
    loop: Any = asyncio.get_running_loop()
    by_call: dict[int, Seen] = {}
    handler = rate_limit(Limits(max_wait_ms=int(LONGEST_WAIT_S * 1000), max_queued=max_queued))(
        lambda call, emit: provider(by_call[id(call)], call, emit)  # type: ignore[arg-type]
    )
    tasks: list[asyncio.Task[None]] = []
    seen: list[Seen] = []
    for visit in visits:
        await asyncio.sleep(visit.pause)
        seen.append(Seen(visit, loop.time()))
        tasks.append(loop.create_task(_visit(seen[-1], limits, handler, by_call)))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert [timer for timer in loop._scheduled if not timer.cancelled()] == []
    return seen


async def provider(seen: Seen, call: Call, emit: Emit) -> Completion:
    del emit
    loop, visit = asyncio.get_running_loop(), seen.visit
    seen.began, call.sent = loop.time(), visit.sent
    try:
        call.heard(visit.headers)
        await asyncio.sleep(visit.seconds)
        if visit.refusal:
            raise visit.refusal
        if not visit.sent:
            raise SidecarError("connect")
    finally:
        seen.ended = loop.time()
        usage = None if visit.refusal or not visit.sent else Usage(output_tokens=visit.tokens)
        call.attempts.append(Attempt(provider="p", model="m", outcome="ok", duration_ms=0, usage=usage))
    call.transcript.add(FinishReason("stop"))
    return call.completion()


async def _visit(seen: Seen, limits: RateLimits, handler: ChatHandler, by_call: dict[int, Seen]) -> None:
    visit = seen.visit
    call = call_for("", max_tokens=visit.max_tokens)
    call.target = replace(call.target, model=visit.model, config=ScriptedConfig(rate_limits=limits))
    by_call[id(call)] = seen
    try:
        async with asyncio.timeout(visit.leaves):
            await handler(call, ignore)
    except SidecarError as error:
        seen.error = error
    except TimeoutError:
        pass
    seen.left = asyncio.get_running_loop().time()


async def ignore(event: StreamEvent) -> None:
    del event


def in_order(seen: list[Seen]) -> list[tuple[float, Seen]]:
    """Return who began, in the order in which they came."""
    return [(one.began, one) for one in seen if one.began is not None]


def under_way(seen: list[Seen], moment: float) -> int:
    return sum(began <= moment < (one.ended or moment) for began, one in in_order(seen))


def check_limits(limits: RateLimits, seen: list[Seen]) -> None:
    """In no minute were more sent than may be, nor more tokens, nor were more under way at any time."""
    began = in_order(seen)
    for start, _ in began:
        minute = [one for when, one in began if start <= when < start + WINDOW_S and one.visit.sent]
        assert len(minute) <= (limits.requests_per_minute or len(minute))
        assert under_way(seen, start) <= (limits.concurrency or len(began))


def check_ends(seen: list[Seen]) -> None:
    """Everybody got an answer or an error, no later than may be."""
    for one in seen:
        assert one.left is not None
        waited = (one.left if one.began is None else one.began) - one.came
        assert waited <= LONGEST_WAIT_S + LEEWAY_S
        if one.began is None and one.visit.leaves is None:
            assert one.error is not None
            assert one.error.details["stage"] == "queue"


def check_order(seen: list[Seen]) -> None:
    """For each model, who came first began first."""
    for model in "ab":
        times = [began for began, one in in_order(seen) if one.visit.model == model]
        assert times == sorted(times)


@settings(max_examples=300, deadline=None)
@given(LIMITS, st.lists(TROUBLED, max_size=25), st.sampled_from([0, 2, 1024]))
def test_whatever_happens_limits_hold_and_everybody_is_answered(
    limits: RateLimits, visits: list[Visit], max_queued: int
) -> None:
    if not visits:
        return
    seen = run(limits, visits, max_queued)
    check_limits(limits, seen)
    check_ends(seen)
    check_order(seen)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 80), st.lists(plain(max_tokens=st.integers(1, 60), tokens=st.integers(0, 60)), min_size=1))
def test_in_no_minute_are_more_tokens_used_than_may_be(limit: int, visits: list[Visit]) -> None:
    """Of requests that use no more than they said, and no more than the limit."""
    honest = [
        Visit(v.pause, v.seconds, max_tokens=v.max_tokens, tokens=min(v.tokens, v.max_tokens, limit)) for v in visits
    ]
    began = in_order(run(RateLimits(tokens_per_minute=limit), honest))
    for start, _ in began:
        assert sum(one.visit.tokens for when, one in began if start <= when < start + WINDOW_S) <= limit


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 5),
    st.none() | st.integers(1, 4),
    st.lists(plain(model=st.sampled_from("ab")), min_size=1, max_size=30),
)
def test_nobody_waits_without_need(per_minute: int, concurrency: int | None, visits: list[Visit]) -> None:
    """Everybody begins as soon as he has come, who came before has begun, and the limits leave room."""
    seen = run(RateLimits(requests_per_minute=per_minute, concurrency=concurrency), visits)
    began = in_order(seen)
    assert [when for when, _ in began] == sorted(when for when, _ in began)
    for number, (when, one) in enumerate(began):
        before = began[:number]
        needed = [one.came, *(time for time, _ in before[-1:])]
        needed += [time + WINDOW_S + GRAIN_S for time, _ in before[-per_minute:][:1] if len(before) >= per_minute]
        needed += _freed(before, concurrency)
        assert when <= max(needed)


def _freed(before: list[tuple[float, Seen]], concurrency: int | None) -> Iterator[float]:
    """Yield when so many of those who began before had ended that another could begin."""
    ends = sorted(one.ended or 0.0 for _, one in before)
    if concurrency is not None and len(ends) >= concurrency:
        yield ends[-concurrency]

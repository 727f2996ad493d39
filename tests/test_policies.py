"""Whatever a provider does, and whatever hosts want: what holds of all policies together."""

import os
from collections import Counter
from itertools import groupby
from typing import Any

from hypothesis import given, settings
from policy_world import PRICES, History, Told, World, run, target
from unruly import Run, marks
from worlds import WORLDS

from sidecar.middleware.budget import MAX_ANSWER
from sidecar.middleware.detour import OWN_TO_TARGET
from sidecar.middleware.retry import MAX_REPAIRS
from sidecar.middleware.windows import WINDOW_S
from sidecar.schema.budgets import BudgetParams
from sidecar.schema.chat import FinishReason
from sidecar.schema.events import StreamEvent, UsageDelta
from sidecar.schema.policies import RetryOptions
from sidecar.schema.usage import Attempt, Cost, Usage
from sidecar.storage.money import stored

LONG = os.environ.get("SIDECAR_EXAMPLES")
EXAMPLES = int(LONG or "500")
"""The same ones each time; whoever wants a longer run gets others."""
INSTANT = 1e-6


@given(WORLDS)
@settings(max_examples=EXAMPLES, derandomize=not LONG)
def test_whatever_happens_every_caller_gets_one_whole_ending(world: World) -> None:
    history = run(world)
    for told in history.told:
        one_ending(told, history)
        what_was_told_is_the_transcript(told)
        the_content_is_that_of_one_run(told, history)
        the_statuses_are_those_of_the_attempts(told)
        the_attempts_have_happened(told, history)
        the_way_is_that_of_the_chain(told)
        in_time(told)
    for one in history.runs:
        the_attempt_is_that_of_the_run(one)
        no_limit_was_exceeded(one, history, world)
        for budget in world.budgets:
            there_was_money_left(one, history, budget)
    nothing_follows_content(history)
    no_more_tries_than_allowed(history)
    the_ledger_has_what_was_told(history)
    assert (history.left_behind, history.reserved - {"0"}) == ([], set())


def one_ending(told: Told, history: History) -> None:
    endings = [told.completion is not None, told.error is not None, told.defect is not None, told.cancelled]
    assert endings.count(True) == 1
    assert told.late == []
    if told.error is not None:
        assert told.error.type != "internal_error"
    if told.defect is not None:
        assert any(one.defect for one in history.runs), told.defect
    if told.caller.leaves is None:
        assert not told.cancelled
    outcomes = [attempt.outcome for attempt in told.call.attempts]
    assert set(outcomes[:-1]) <= {"error"}
    if told.completion is not None:
        assert outcomes[-1] == "ok"


def what_was_told_is_the_transcript(told: Told) -> None:
    """Nothing is told twice, nothing is lost, and nothing is kept of what was told to nobody."""
    call, transcript = told.call, told.transcript
    assert call.transcript.message() == transcript.message()
    if told.completion is not None:
        assert told.completion.message == call.transcript.message(call.target.origin)
        assert told.completion.finish_reason == call.transcript.finish
        # An attempt that ends at the moment of its deadline is one that did not.
        assert [event for event in told.events if isinstance(event, FinishReason)][-1:] == [call.transcript.finish]


def the_content_is_that_of_one_run(told: Told, history: History) -> None:
    """What a caller reads is from the beginning of what one run said to the same question, or all of it."""
    said: dict[int, list[str]] = {}
    for event in told.events:
        if found := marks_in(event):
            said.setdefault(event.index, []).extend(found)  # type: ignore[union-attr]
    names = {mark[1:].partition(":")[0] for part in said.values() for mark in part}
    assert len(names) <= 1, f"runs are mixed: {names}"
    sources = [one for one in history.runs if (one.name in names if names else not one.said)]
    assert all(part == one.said[index][: len(part)] for one in sources if names for index, part in said.items())
    if told.completion is not None:
        assert any(one.complete and said == one.said and is_answer(one, told) for one in sources)


def is_answer(one: Run, told: Told) -> bool:
    """Tell whether a run was asked what the caller asks, and has counted what the caller is told."""
    asked, wanted, usage = one.call.request, told.call.request, told.call.transcript.usage or UsageDelta()
    counted = one.counted or UsageDelta()
    return (
        told.call.target.id == one.target
        and (asked.messages, asked.response_format) == (wanted.messages, wanted.response_format)
        and set(asked.tags) == set(wanted.tags)
        and (usage.input_tokens, usage.output_tokens) == (counted.input_tokens, counted.output_tokens)
    )


def marks_in(event: StreamEvent) -> list[str]:
    part = getattr(event, "part", None)
    return marks(event if part is None else part)  # type: ignore[arg-type]


def the_statuses_are_those_of_the_attempts(told: Told) -> None:
    """A status that tells of another attempt is told behind the attempt before, and once for each."""
    attempts = told.call.attempts
    if any(attempt.cached for attempt in attempts):
        return  # it was told of what others attempted
    numbers = [status.attempt or 0 for status in told.statuses if status.state == "retrying"]
    assert numbers == sorted(set(numbers))
    assert all(attempts[number - 2].outcome == "error" for number in numbers)


def the_attempts_have_happened(told: Told, history: History) -> None:
    """Each attempt is one that was made, or says why none was."""
    made = {id(one.attempt) for one in history.runs}
    lacks = {detour.target: detour.lacks for detour in told.caller.chain}
    for attempt in told.call.attempts:
        if attempt.cached:
            assert told.caller.cache is not None
            assert attempt.usage is None
            assert attempt.cost == Cost(amount="0", source="cache")
        elif id(attempt) not in made:
            assert (attempt.usage, attempt.cost) == (None, None)
            if attempt.outcome == "cancelled":  # while the schema was looked at, before anything was sent
                assert told.caller.wants_json
                continue
            assert attempt.error_type in {lacks[attempt.provider], "budget_exceeded", "rate_limited"}
            assert attempt.outcome == "error"
    assert len({id(attempt) for attempt in told.call.attempts}) == len(told.call.attempts)


def the_attempt_is_that_of_the_run(one: Run) -> None:
    """An attempt tells what its own run counted and charged, and nothing of another's."""
    attempt, counted = one.attempt, one.counted or UsageDelta()
    assert attempt.provider == one.target
    assert attempt.outcome != "ok" or one.complete
    if attempt.usage is None:
        assert attempt.cost is None
        return
    assert counted.input_tokens in {None, attempt.usage.input_tokens}
    assert counted.output_tokens in {None, attempt.usage.output_tokens}
    assert (attempt.usage.source == "estimated") == (None in {counted.input_tokens, counted.output_tokens})
    if one.complete and one.charged is not None:
        assert attempt.cost == Cost(amount=one.charged, source="provider")
    else:
        assert attempt.cost == PRICES.cost(target(one.target), attempt.usage)


def the_way_is_that_of_the_chain(told: Told) -> None:
    """One target is asked after the other, each for a failure that it is meant for."""
    chain = {detour.target: detour for detour in told.caller.chain}
    ways = [list(attempts) for _, attempts in groupby(told.call.attempts, key=lambda attempt: attempt.provider)]
    asked = [attempts[0].provider for attempts in ways]
    moves = [status for status in told.statuses if status.state == "falling_back"]
    skipped = [warning for warning in told.call.warnings if warning.type == "fallback_skipped"]
    assert set(asked) <= set(chain)
    assert len(set(asked)) == len(asked)
    for earlier, name in zip(ways, asked[1:], strict=False):
        # Who asks again may be refused by the line of our own, which is no attempt.
        assert {earlier[-1].error_type, "rate_limited"} & {*(chain[name].on or OWN_TO_TARGET)}
    tried = [status.to.provider for status in moves if status.to]
    assert len(tried) == len(moves)
    assert asked == [name for name in ([] if skipped else [told.caller.target]) + tried if name in asked]


def in_time(told: Told) -> None:
    """The deadline of a whole call holds, but for the time that the host itself took."""
    total = told.caller.timeouts and told.caller.timeouts.total
    if total and told.ended is not None:
        assert told.ended - told.caller.at <= total / 1000 + told.waited + told.caller.slow + INSTANT


def nothing_follows_content(history: History) -> None:
    """A call is not asked again once something was said, nor twice at a time."""
    for number, earlier in enumerate(history.runs):
        for later in history.runs[number + 1 :]:
            if later.call is earlier.call:
                assert not earlier.said, f"{later.name} follows {earlier.name}"
                assert earlier.ended is not None
                assert earlier.ended <= later.started


def no_more_tries_than_allowed(history: History) -> None:
    tries = Counter((id(one.call), one.target) for one in history.runs)
    for one in history.runs:
        retry = one.call.request.retry or RetryOptions()
        assert tries[id(one.call), one.target] <= 1 + retry.max_retries + MAX_REPAIRS


def no_limit_was_exceeded(one: Run, history: History, world: World) -> None:
    limits = world.rate_limits.get(one.target)
    if limits is None:
        return
    others = [other for other in history.runs if other.target == one.target]
    if limits.concurrency is not None:
        assert sum(runs_at(other, one.started) for other in others) <= limits.concurrency
    if limits.requests_per_minute is not None:
        minute = [other for other in others if other.sent and 0 <= one.started - other.started < WINDOW_S - INSTANT]
        assert len(minute) <= limits.requests_per_minute


def runs_at(one: Run, time: float) -> bool:
    return one.started <= time and (one.ended is None or one.ended > time)


def there_was_money_left(one: Run, history: History, budget: BudgetParams) -> None:
    """Nothing is asked for the first time unless what is spent, and what others in progress may cost, leave enough."""
    tags, price = one.call.request.tags, estimate(one)
    if budget.tag not in {None, *tags} or not price or one.place:
        return
    spent = sum(
        stored(entry.cost.amount or "0") for entry in history.entries[: one.known] if budget.tag in {None, *entry.tags}
    )
    assert spent + price <= stored(budget.amount or "0")


def estimate(one: Run) -> int:
    cost = PRICES.cost(target(one.target), Usage(input_tokens=1, output_tokens=MAX_ANSWER))
    return stored(cost.amount or "0") if cost else 0


def the_ledger_has_what_was_told(history: History) -> None:
    told = Counter(entry(attempt) for one in history.told for attempt in one.call.attempts)
    assert Counter(history.rows) == told


def entry(attempt: Attempt) -> tuple[Any, ...]:
    """Return the row of the ledger that an attempt is."""
    usage, cost = attempt.usage or Usage(), attempt.cost
    return (
        attempt.provider,
        attempt.model,
        attempt.outcome,
        attempt.error_type,
        attempt.cached,
        usage.input_tokens,
        usage.output_tokens,
        usage.source == "estimated",
        None if cost is None or cost.amount is None else stored(cost.amount),
        "unknown" if cost is None else cost.source,
    )

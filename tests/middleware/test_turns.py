"""Who goes next."""

from math import inf

import pytest

from sidecar.dialects.rate_headers import Allowance
from sidecar.middleware.quotas import NOTHING, Need
from sidecar.middleware.turns import MAX_MODELS, Turn, Turns
from sidecar.schema.policies import RateLimits

ONE = Need(1, 0)


@pytest.fixture
def turns() -> Turns[Turn]:
    return Turns()


def turn(
    turns: Turns[Turn], model: str = "m", tokens: int = 1, deadline: float = 120.0, *, returns: bool = False
) -> Turn:
    """Return a turn that has joined."""
    made = Turn(quotas=turns.quotas(model), need=ONE, tokens=tokens, deadline=deadline, returns=returns)
    turns.join(made)
    return made


def begun(turns: Turns[Turn], now: float) -> list[Turn]:
    return [one for one in turns.advance(now)[0] if one.mark]


def test_without_limits_all_go(turns: Turns[Turn]) -> None:
    made = [turn(turns) for _ in range(99)]
    assert turns.advance(0.0) == (made, inf)
    assert begun(turns, 0.0) == []
    assert all(one.shares is None for one in made)


def test_the_first_to_come_are_the_first_to_go(turns: Turns[Turn]) -> None:
    turns.adopt(RateLimits(concurrency=2))
    a, b, c, d = (turn(turns) for _ in range(4))
    assert turns.advance(0.0) == ([a, b], 120.0)
    turns.end(b, ONE)
    assert turns.advance(1.0) == ([c], 120.0)
    assert turns.queue == [d]


def test_requests_wait_until_a_minute_has_passed(turns: Turns[Turn]) -> None:
    turns.adopt(RateLimits(requests_per_minute=2))
    a, b, c, d, e = (turn(turns, deadline=130.0) for _ in range(5))
    assert turns.advance(0.0) == ([a, b], 60.0)
    assert [one.due for one in (c, d, e)] == [60.0, 60.0, 120.0]
    assert turns.advance(60.0) == ([c, d], 120.0)


def test_nobody_small_slips_past_who_waits_for_tokens(turns: Turns[Turn]) -> None:
    turns.adopt(RateLimits(tokens_per_minute=10))
    a, b, c = turn(turns, tokens=8), turn(turns, tokens=5), turn(turns, tokens=1)
    assert begun(turns, 0.0) == [a]
    assert (b.due, c.due) == (60.0, 60.0)
    turns.end(a, Need(1, 5))
    assert begun(turns, 1.0) == [b]
    assert begun(turns, 60.0) == [c]


def test_who_wants_more_tokens_than_there_ever_are_gets_them_all(turns: Turns[Turn]) -> None:
    turns.adopt(RateLimits(tokens_per_minute=10))
    a, b, c = turn(turns, tokens=1), turn(turns, tokens=99), turn(turns, tokens=1)
    assert begun(turns, 0.0) == [a]
    assert begun(turns, 60.0) == [b]
    assert begun(turns, 120.0) == [c]


def test_nobody_waits_for_another_model(turns: Turns[Turn]) -> None:
    turns.quotas("full").refused(ONE, 30.0, 0.0)
    a, b = turn(turns, "full"), turn(turns, "free")
    assert turns.advance(0.0) == ([b], 30.0)
    assert (a.mark, a.due) == (None, 30.0)
    assert begun(turns, 30.0) == [a]


def test_who_waits_for_his_model_keeps_nobody_from_the_key(turns: Turns[Turn]) -> None:
    turns.adopt(RateLimits(requests_per_minute=1))
    turns.quotas("full").refused(ONE, 30.0, 0.0)
    a, b, c = turn(turns, "full"), turn(turns, "free"), turn(turns, "free")
    assert begun(turns, 0.0) == [b]
    assert begun(turns, 30.0) == []
    assert (a.due, c.due) == (60.0, 120.0)
    assert begun(turns, 60.0) == [a]


def test_who_will_be_too_late_leaves_at_once_and_does_not_count(turns: Turns[Turn]) -> None:
    turns.adopt(RateLimits(requests_per_minute=1))
    a, b, c = turn(turns), turn(turns, deadline=59.0), turn(turns, deadline=60.0)
    assert turns.advance(0.0) == ([a, b], 60.0)
    assert (b.mark, c.due) == (None, 60.0)


def test_who_has_waited_in_vain_leaves_at_the_deadline(turns: Turns[Turn]) -> None:
    turns.adopt(RateLimits(concurrency=1))
    a, b = turn(turns), turn(turns, deadline=5.0)
    assert turns.advance(0.0) == ([a], 5.0)
    assert turns.advance(5.0) == ([b], inf)
    assert b.mark is None


def test_who_was_refused_before_goes_first(turns: Turns[Turn]) -> None:
    turns.adopt(RateLimits(concurrency=1))
    a, b = turn(turns), turn(turns)
    c, d = turn(turns, returns=True), turn(turns, returns=True)
    assert turns.queue == [c, d, a, b]


def test_what_was_not_used_is_given_back(turns: Turns[Turn]) -> None:
    turns.adopt(RateLimits(requests_per_minute=1, concurrency=1))
    a, b, c = turn(turns), turn(turns), turn(turns)
    assert begun(turns, 0.0) == [a]
    turns.end(a, NOTHING)
    assert begun(turns, 1.0) == [b]
    turns.end(b, ONE)
    assert begun(turns, 1.0) == []
    assert c.due == 61.0


def test_what_was_not_sent_is_not_taken_off_the_providers_count(turns: Turns[Turn]) -> None:
    first = turn(turns)
    turns.advance(0.0)
    assert first.mark
    first.quotas.heard(first.mark, {"requests": Allowance(1, 60, 59.0)}, 0.0)
    second = turn(turns)
    assert begun(turns, 0.0) == [second]
    turns.end(second, NOTHING)
    third = turn(turns)
    assert begun(turns, 0.0) == [third]


def test_new_limits_are_for_all_who_wait(turns: Turns[Turn]) -> None:
    turns.adopt(RateLimits(concurrency=1))
    a, b, c = turn(turns), turn(turns), turn(turns)
    assert begun(turns, 0.0) == [a]
    turns.adopt(RateLimits(concurrency=2))
    assert begun(turns, 0.0) == [b]
    turns.adopt(RateLimits())
    assert begun(turns, 0.0) == [c]


def test_of_the_oldest_models_it_is_forgotten_what_was_said(turns: Turns[Turn]) -> None:
    kept, lost = turns.quotas("kept"), turns.quotas("lost")
    for number in range(MAX_MODELS - 1):
        turns.quotas(f"m-{number}")
        assert turns.quotas("kept") is kept
    assert turns.quotas("lost") is not lost


def test_it_is_idle_when_nobody_waits_and_nothing_is_under_way(turns: Turns[Turn]) -> None:
    assert turns.idle
    one = turn(turns)
    assert not turns.idle
    turns.advance(0.0)
    assert not turns.idle
    turns.end(one, ONE)
    assert turns.idle

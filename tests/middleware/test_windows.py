"""Limits per minute."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.middleware.windows import GRAIN_S, WINDOW_S, Window

LIMIT = 5
PAUSES = st.integers(0, 8 * 90).map(lambda eighths: eighths / 8)


def window(limit: int | None = LIMIT) -> Window:
    made = Window()
    made.limit = limit
    return made


def test_without_a_limit_there_is_always_room() -> None:
    assert window(None).due(10**9, 10**9, 7.0) == 7.0


def test_what_was_taken_is_back_after_a_minute() -> None:
    limited = window()
    limited.take(2, 0.0)
    limited.take(3, 10.0)
    assert [limited.due(0, amount, 20.0) for amount in (1, 2, 3, 5)] == [60.0, 60.0, 70.0, 70.0]
    assert limited.due(0, 2, 60.0) <= 60.0
    assert limited.due(0, 3, 60.0) == 70.0


def test_who_waits_behind_others_waits_for_what_they_will_have_taken() -> None:
    limited = window()
    limited.take(5, 0.0)
    assert [limited.due(ahead, 1, 1.0) for ahead in (0, 4, 5, 9, 10)] == [60.0, 60.0, 120.0, 120.0, 180.0]


def test_more_than_the_limit_takes_all_of_it() -> None:
    limited = window()
    assert limited.due(0, 99, 1.0) <= 1.0
    share = limited.take(99, 1.0)
    assert limited.due(0, 1, 2.0) == 61.0
    share.settle(4)
    assert limited.due(0, 1, 2.0) <= 2.0


def test_what_turns_out_to_be_more_counts_as_that() -> None:
    limited = window()
    limited.take(1, 1.0).settle(5)
    assert limited.due(0, 1, 2.0) == 61.0


def test_settling_what_is_forgotten_changes_nothing() -> None:
    limited = window()
    share = limited.take(1, 0.0)
    assert limited.due(0, 5, 60.0) <= 60.0
    share.settle(5)
    assert limited.due(0, 5, 60.0) <= 60.0


def test_few_portions_are_kept_however_much_is_taken() -> None:
    limited = window(10**9)
    for step in range(10_000):
        limited.take(1, step / 100)
    assert len(limited._portions) <= WINDOW_S / GRAIN_S + 1
    assert limited.due(0, 10**9 - 5999, 99.99) > 99.99
    assert limited.due(0, 10**9 - 6100, 99.99) <= 99.99


@given(
    st.integers(1, 6),
    st.lists(st.tuples(PAUSES, st.integers(1, 9), st.integers(0, 9)), max_size=40),
)
def test_no_minute_has_more_than_the_limit(limit: int, requests: list[tuple[float, int, int]]) -> None:
    """Each request comes some time after the one before, wants so much, and turns out to have used so much."""
    limited, now = window(limit), 0.0
    taken: list[tuple[float, int]] = []
    for pause, amount, used in requests:
        now += pause
        due = limited.due(0, amount, now)
        assert due - now <= WINDOW_S
        now = max(now, due)
        assert limited.due(0, amount, now) <= now
        share = limited.take(amount, now)
        share.settle(min(used, share.amount))
        taken.append((now, share.amount))
    for start, _ in taken:
        assert sum(amount for when, amount in taken if start <= when < start + WINDOW_S) <= limit

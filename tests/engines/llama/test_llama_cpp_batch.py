"""Whose tokens are evaluated when, and what stays in the context, seen against a context that keeps count."""

from hypothesis import given, settings
from hypothesis import strategies as st
from local_cells import POISON, Cells, Desk, Telling

from sidecar.engines.llama.protocol import Failed


def test_a_batch_is_shared_evenly_and_nobody_takes_more_than_is_needed() -> None:
    desk = Desk(Cells(batch=9), parallel=3)
    desk.finish(desk.ask([1] * 20), desk.ask([2] * 20), desk.ask([3]))
    assert desk.cells.steps[:2] == [[1, 4, 4], [4, 5]]


def test_who_speaks_goes_on_at_each_step_while_another_prompt_is_read() -> None:
    desk = Desk(Cells())
    speaking = desk.ask([1], wanted=6)
    desk.batches.step()
    reading = desk.ask([2] * 20)
    desk.finish(speaking, reading)
    assert desk.cells.steps[:5] == [[1], [1, 7], [1, 7], [1, 6], [1]]
    assert [one.said for one in (speaking, reading)] == [one.right for one in (speaking, reading)]


def test_more_than_can_be_at_once_wait_in_line() -> None:
    desk = Desk(Cells(), parallel=2)
    told = [desk.ask([at, at, at], wanted=3) for at in range(5)]
    desk.finish(*told)
    assert [one.outcomes for one in told] == [["length"]] * 5
    assert max(map(len, desk.cells.steps)) == 2
    assert [one.begun for one in told] == sorted(one.begun for one in told)


def test_who_makes_a_batch_fail_fails_alone() -> None:
    desk = Desk(Cells(), parallel=3)
    good, bad, other = desk.ask([1], 3), desk.ask([POISON], 3), desk.ask([2, 3], 3)
    desk.finish(good, bad, other)
    assert bad.outcomes == [Failed(1, "server_error", "The local engine failed.", hint="llama_decode returned -3")]
    assert [(one.outcomes, one.said) for one in (good, other)] == [(["length"], one.right) for one in (good, other)]


def test_a_prompt_is_broken_off_when_it_is_cancelled_and_the_others_lose_nothing() -> None:
    desk = Desk(Cells())
    speaking = desk.ask([1], wanted=6)
    desk.batches.step()
    reading = desk.ask([2] * 20, patience=1)
    desk.finish(speaking, reading)
    assert (reading.outcomes, reading.said) == (["cancelled"], [])
    assert (speaking.outcomes, speaking.said) == (["length"], speaking.right)
    # Nobody asks whether to break off where only single tokens are evaluated.
    assert desk.cells.asked == [False, True, False, False, False, False, False]


def test_who_waits_can_be_cancelled() -> None:
    desk = Desk(Cells(), parallel=1)
    first, waiting = desk.ask([1], wanted=5), desk.ask([2], patience=1)
    desk.finish(waiting)
    assert (waiting.outcomes, waiting.begun, first.outcomes) == (["cancelled"], 0, [])


def test_a_conversation_goes_on_where_it_was() -> None:
    desk = Desk(Cells())
    first = desk.ask([1, 2, 3, 4], wanted=3)
    desk.finish(first)
    again, other = desk.ask([*first.tokens, 9]), desk.ask([1, 2, 8, 8])
    desk.finish(again, other)
    # The last token of the answer was said, but never evaluated.
    assert [one.cached for one in (again, other)] == [len(first.tokens) - 1, 2]
    assert [one.said for one in (again, other)] == [one.right for one in (again, other)]


def test_what_prompts_that_come_together_share_is_evaluated_once() -> None:
    desk = Desk(Cells(batch=4), parallel=3)
    rules = list(range(20))
    told = [desk.ask([*rules, at], wanted=2) for at in (30, 31, 32)]
    desk.finish(*told)
    assert [one.cached for one in told] == [0, 20, 20]
    assert desk.cells.evaluated == 20 + 3 * 2
    assert [one.said for one in told] == [one.right for one in told]


def test_a_prompt_that_shares_little_leaves_a_longer_conversation_alone() -> None:
    desk = Desk(Cells())
    long, short = desk.ask([1, *range(20)]), desk.ask([1, 7])
    desk.finish(long)
    desk.finish(short)
    again = desk.ask([1, *range(20), 5])
    desk.finish(again)
    assert again.cached == 21


def test_what_was_used_last_is_kept_longest_when_there_is_no_room() -> None:
    desk = Desk(Cells(size=30))
    for start in (1, 2, 1):
        desk.finish(desk.ask([start] * 10))
    desk.finish(desk.ask([3] * 15))
    known, forgotten = desk.ask([1] * 10), desk.ask([2] * 10)
    desk.finish(known)
    desk.finish(forgotten)
    assert (known.cached, forgotten.cached) == (9, 0)


def test_those_that_have_no_room_beside_each_other_come_to_their_end_one_after_the_other() -> None:
    desk = Desk(Cells(size=30))
    told = [desk.ask([at] * 10, wanted=15) for at in (1, 2, 3)]
    desk.finish(*told)
    assert [one.outcomes for one in told] == [["length"]] * 3
    assert [one.said for one in told] == [one.right for one in told]
    assert desk.cells.ended == told


def test_a_shared_beginning_takes_room_once() -> None:
    desk = Desk(Cells(size=38), parallel=3)
    rules = list(range(18))
    desk.finish(desk.ask([*rules, *range(50, 69)]))
    told = [desk.ask([*rules, at], wanted=4) for at in (30, 31, 32)]
    desk.finish(*told)
    assert [1, 1, 1] in desk.cells.steps
    assert [one.said for one in told] == [one.right for one in told]


def test_a_shared_beginning_stays_when_its_first_owner_has_gone() -> None:
    desk = Desk(Cells(size=40))
    rules = list(range(20))
    owner, heir = desk.ask([*rules, 30], wanted=3), desk.ask([*rules, 31], wanted=15)
    desk.finish(owner)
    other = desk.ask([2] * 20, wanted=3)
    desk.finish(heir, other)
    assert [one.said for one in (heir, other)] == [one.right for one in (heir, other)]
    assert desk.cells.ended == [owner, heir, other]


def test_a_prompt_is_not_begun_where_there_is_no_room_for_it_now() -> None:
    desk = Desk(Cells(size=30))
    desk.finish(desk.ask([1] * 15))
    first, second = desk.ask([1] * 15, wanted=5), desk.ask([2] * 20, wanted=2)
    desk.finish(first, second)
    assert desk.cells.evaluated == 15 + 1 + 4 + 20 + 1
    assert second.said == second.right


def test_a_model_that_keeps_one_state_goes_on_or_begins_anew() -> None:
    desk = Desk(Cells(rewindable=False))
    first = desk.ask([1, 2, 3], wanted=2)
    desk.finish(first)
    going_on, other = desk.ask([*first.tokens, 4]), desk.ask([1, 2, 4])
    desk.finish(going_on)
    desk.finish(other)
    assert [one.cached for one in (going_on, other)] == [4, 0]
    assert [one.said for one in (going_on, other)] == [one.right for one in (going_on, other)]
    assert True not in desk.cells.asked


prompts = st.lists(st.integers(0, 1), min_size=1, max_size=20)
chats = st.tuples(prompts, st.integers(1, 10), st.none() | st.integers(0, 12), st.integers(0, 3))


cells = st.builds(Cells, st.integers(30, 60), st.just(5), st.integers(4, 6), rewindable=st.booleans())


@given(st.lists(chats, min_size=1, max_size=8), st.integers(1, 4), cells)
@settings(deadline=None)
def test_whatever_comes_each_answer_is_right_and_ends_once(
    asked: list[tuple[list[int], int, int | None, int]], parallel: int, cells: Cells
) -> None:
    desk, told = Desk(cells, parallel), list[Telling]()
    for prompt, wanted, patience, steps in asked:
        told.append(desk.ask(prompt, wanted, patience))
        for _ in range(steps):
            if not all(one.outcomes for one in told):
                desk.batches.step()
    desk.finish(*told)
    for one in told:
        assert one.outcomes == ["length"] if one.patience is None else one.outcomes in (["length"], ["cancelled"])
        assert one.said == one.right
        assert one.cached < len(one.prompt)

"""What a provider says of its limits, and how long that holds requests back."""

import pytest

from sidecar.dialects.rate_headers import Allowance, Quantity
from sidecar.middleware.quotas import BELIEVED_S, NOTHING, UNTOLD_S, Mark, Need, Quotas

ONE = Need(1, 0)
LARGE = Need(1, 100)


def told(remaining: int, limit: int | None = 10, reset_s: float = 60.0) -> dict[Quantity, Allowance]:
    return {"requests": Allowance(remaining, limit, reset_s)}


def sent(quotas: Quotas, *needs: Need) -> Mark:
    """Send requests, and return the mark of the last."""
    return [quotas.take(need) for need in needs][-1]


@pytest.fixture
def quotas() -> Quotas:
    return Quotas()


def test_nothing_is_held_back_before_anything_is_known(quotas: Quotas) -> None:
    sent(quotas, *[ONE] * 1000)
    assert quotas.due(Need(1000, 0), ONE, 5.0) <= 5.0


def test_as_many_go_as_are_left(quotas: Quotas) -> None:
    quotas.heard(sent(quotas, ONE), told(3), 0.0)
    assert [quotas.due(Need(ahead, 0), ONE, 0.0) <= 0.0 for ahead in range(4)] == [True, True, True, False]
    sent(quotas, ONE, ONE)
    assert [quotas.due(Need(ahead, 0), ONE, 0.0) <= 0.0 for ahead in range(2)] == [True, False]


def test_what_is_used_up_comes_back_steadily(quotas: Quotas) -> None:
    quotas.heard(sent(quotas, ONE), told(0), 0.0)
    assert [quotas.due(Need(ahead, 0), ONE, 0.0) for ahead in (0, 4, 9)] == [6.0, 30.0, 60.0]


def test_more_than_a_quota_takes_more_than_its_time(quotas: Quotas) -> None:
    quotas.heard(sent(quotas, ONE), told(0), 0.0)
    assert [quotas.due(Need(ahead, 0), ONE, 0.0) for ahead in (10, 19)] == [66.0, 120.0]


def test_a_quota_of_unknown_size_is_back_at_its_reset(quotas: Quotas) -> None:
    quotas.heard(sent(quotas, ONE), told(1, limit=None, reset_s=20.0), 100.0)
    assert [quotas.due(Need(ahead, 0), ONE, 100.0) for ahead in (0, 1, 99)] == [100.0, 120.0, 120.0]


def test_a_reset_in_a_moment_holds_nobody_back_for_long(quotas: Quotas) -> None:
    """As with a limit of 500 a minute, of which 499 are left: one is back after 120 ms."""
    quotas.heard(sent(quotas, ONE), told(499, limit=500, reset_s=0.12), 0.0)
    assert quotas.due(Need(499, 0), ONE, 0.0) == pytest.approx(0.12)


def test_the_word_of_an_earlier_request_is_no_news(quotas: Quotas) -> None:
    first, second = sent(quotas, ONE), sent(quotas, ONE)
    quotas.heard(second, told(0), 1.0)
    quotas.heard(first, told(9), 2.0)
    assert quotas.due(NOTHING, ONE, 2.0) == 7.0


def test_what_was_sent_after_a_request_is_taken_off_what_its_answer_tells(quotas: Quotas) -> None:
    first = sent(quotas, ONE)
    sent(quotas, ONE, ONE)
    quotas.heard(first, told(2), 0.0)
    assert quotas.due(NOTHING, ONE, 0.0) == 0.0 + 60 / 8
    quotas.give_back(ONE)
    assert quotas.due(NOTHING, ONE, 0.0) <= 0.0


def test_an_answer_without_a_word_changes_nothing(quotas: Quotas) -> None:
    quotas.heard(sent(quotas, ONE), told(0), 0.0)
    quotas.heard(sent(quotas, ONE), {}, 1.0)
    assert quotas.due(NOTHING, ONE, 1.0) > 1.0


def test_what_an_answer_does_not_mention_is_forgotten(quotas: Quotas) -> None:
    quotas.heard(sent(quotas, ONE), told(0), 0.0)
    quotas.heard(sent(quotas, ONE), {"tokens": Allowance(5, 5, 0.0)}, 1.0)
    assert quotas.due(NOTHING, ONE, 1.0) <= 1.0


def test_a_word_counts_for_a_while(quotas: Quotas) -> None:
    quotas.heard(sent(quotas, ONE), told(0, limit=None, reset_s=86_400.0), 0.0)
    assert quotas.due(NOTHING, ONE, 1.0) == 86_400.0
    assert quotas.due(NOTHING, ONE, BELIEVED_S - 0.1) == 86_400.0
    assert quotas.due(NOTHING, ONE, BELIEVED_S) <= BELIEVED_S


@pytest.mark.parametrize("quantity", ["tokens", "input_tokens"])
def test_tokens_hold_back_a_question_that_needs_more(quotas: Quotas, quantity: Quantity) -> None:
    quotas.heard(sent(quotas, ONE), {quantity: Allowance(60, 600, 54.0)}, 0.0)
    assert quotas.count_tokens
    assert quotas.due(NOTHING, Need(1, 60), 0.0) <= 0.0
    assert quotas.due(NOTHING, LARGE, 0.0) == pytest.approx(4.0)
    assert quotas.due(Need(1, 30), Need(1, 60), 0.0) == pytest.approx(3.0)
    assert quotas.due(NOTHING, Need(1, 9999), 0.0) == 54.0


def test_a_question_of_unknown_size_needs_a_token(quotas: Quotas) -> None:
    quotas.heard(sent(quotas, ONE), {"tokens": Allowance(0, None, 5.0)}, 0.0)
    assert quotas.due(NOTHING, ONE, 0.0) == 5.0


def test_of_answers_it_counts_only_that_there_is_something_left(quotas: Quotas) -> None:
    quotas.heard(sent(quotas, ONE), {"output_tokens": Allowance(1, 8000, 60.0)}, 0.0)
    sent(quotas, LARGE)
    assert quotas.due(Need(9, 900), LARGE, 0.0) <= 0.0
    quotas.heard(sent(quotas, ONE), {"output_tokens": Allowance(0, 8000, 60.0)}, 0.0)
    assert quotas.due(Need(9, 900), LARGE, 0.0) == pytest.approx(60 / 8000)


def test_requests_alone_do_not_need_tokens_to_be_counted(quotas: Quotas) -> None:
    assert not quotas.count_tokens
    quotas.heard(sent(quotas, ONE), told(1), 0.0)
    assert not quotas.count_tokens


class TestRefusals:
    def test_all_wait_as_long_as_was_told(self, quotas: Quotas) -> None:
        quotas.refused(ONE, 7.0, 10.0)
        assert quotas.due(NOTHING, ONE, 10.0) == 17.0
        assert quotas.due(NOTHING, ONE, 17.0) <= 17.0

    def test_the_longest_of_several_waits_counts(self, quotas: Quotas) -> None:
        quotas.refused(ONE, 7.0, 10.0)
        quotas.refused(ONE, 1.0, 11.0)
        assert quotas.due(NOTHING, ONE, 11.0) == 17.0

    def test_without_a_word_all_wait_for_a_moment(self, quotas: Quotas) -> None:
        quotas.refused(ONE, None, 10.0)
        assert quotas.due(NOTHING, ONE, 10.0) == 10.0 + UNTOLD_S

    def test_without_a_word_all_wait_for_what_is_used_up(self, quotas: Quotas) -> None:
        mark = sent(quotas, ONE)
        quotas.heard(mark, told(0, reset_s=9.0) | {"tokens": Allowance(1, 9, 50.0)}, 10.0)
        quotas.refused(ONE, None, 10.0)
        assert quotas.due(NOTHING, ONE, 10.0) == 19.0

    def test_what_was_told_goes_before_a_reset(self, quotas: Quotas) -> None:
        quotas.heard(sent(quotas, ONE), told(0, limit=None), 0.0)
        quotas.refused(ONE, 2.0, 0.0)
        assert quotas.due(NOTHING, ONE, 0.0) == 2.0

    def test_no_more_go_after_it_than_are_back_by_then(self, quotas: Quotas) -> None:
        quotas.heard(sent(quotas, ONE), told(0), 0.0)
        quotas.refused(ONE, 12.0, 0.0)
        assert [quotas.due(Need(ahead, 0), ONE, 0.0) for ahead in (0, 1, 2)] == [12.0, 12.0, 18.0]

    def test_at_least_one_goes_after_it(self, quotas: Quotas) -> None:
        quotas.heard(sent(quotas, LARGE), {"tokens": Allowance(0, 600, 60.0)}, 0.0)
        quotas.refused(LARGE, 2.0, 0.0)
        assert quotas.due(NOTHING, LARGE, 0.0) == 2.0
        assert quotas.due(LARGE, LARGE, 0.0) > 2.0

    @pytest.mark.parametrize("told_s", [20.0, 25.0])
    def test_not_all_go_at_once_when_the_quota_is_back(self, quotas: Quotas, told_s: float) -> None:
        quotas.heard(sent(quotas, ONE), told(0, reset_s=20.0), 0.0)
        quotas.refused(ONE, told_s, 0.0)
        dues = [quotas.due(Need(ahead, 0), ONE, 0.0) for ahead in (0, 9, 10, 19)]
        assert dues == [told_s, told_s, told_s + 2.0, told_s + 20.0]

    def test_a_shorter_wait_changes_nothing(self, quotas: Quotas) -> None:
        quotas.heard(sent(quotas, ONE), told(0, reset_s=20.0), 0.0)
        quotas.refused(ONE, 20.0, 0.0)
        quotas.refused(ONE, 1.0, 0.0)
        assert [quotas.due(Need(ahead, 0), ONE, 0.0) for ahead in (0, 9, 10)] == [20.0, 20.0, 22.0]

    def test_a_refusal_counts_for_a_while(self, quotas: Quotas) -> None:
        quotas.refused(ONE, 86_400.0, 0.0)
        assert quotas.due(NOTHING, ONE, BELIEVED_S - 0.1) == 86_400.0
        assert quotas.due(NOTHING, ONE, BELIEVED_S) <= BELIEVED_S

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.middleware.accounts import NOTHING, Account, limit, state
from sidecar.schema.budgets import BudgetParams
from sidecar.storage.budgets import Tally

ONE, TWO = Tally(10, 1), Tally(500, 0)
FILE, MEMORY = "data.sqlite3", ""


def budget(amount: str, warn_at: float = 0.8) -> BudgetParams:
    return BudgetParams(id="b", amount=amount, warn_at=warn_at)


@pytest.mark.parametrize(
    ("amount", "spent", "expected"),
    [
        ("1", 0, "ok"),
        ("1", 8 * 10**11 - 1, "ok"),
        ("1", 8 * 10**11, "warning"),
        ("1", 10**12 - 1, "warning"),
        ("1", 10**12, "exceeded"),
        ("0", 0, "exceeded"),
        ("0.000000000001", 0, "ok"),
        ("999999999.999999999999", 10**21 - 2, "warning"),
        ("999999999.999999999999", 10**21 - 1, "exceeded"),
    ],
)
def test_a_budget_warns_and_then_is_used_up(amount: str, spent: int, expected: str) -> None:
    assert state(budget(amount), spent) == expected


def test_a_budget_may_warn_at_its_end_alone() -> None:
    assert [state(budget("1", 1.0), spent) for spent in (10**12 - 1, 10**12)] == ["ok", "exceeded"]


@given(st.decimals(0, 10**9 - 1, places=12))
def test_amounts_are_exact(amount: Decimal) -> None:
    assert Decimal(limit(budget(f"{amount:f}"))).scaleb(-12) == amount


def test_what_is_entered_counts_at_once_and_only_once() -> None:
    account = Account()
    account.enter(ONE)
    assert account.tally == ONE
    assert account.ask() == 0
    assert account.tally == ONE
    account.enter(TWO)
    assert account.told(FILE, ONE, 1)
    assert account.tally == ONE + TWO
    assert account.ask() == 1
    assert account.told(FILE, TWO, 2)
    assert (account.tally, account.last) == (ONE + TWO, 2)


def test_what_other_processes_spend_is_added() -> None:
    account = Account()
    account.enter(ONE)
    account.ask()
    assert account.told(FILE, ONE + TWO, 7)
    assert account.tally == ONE + TWO


def test_an_answer_that_never_comes_loses_nothing() -> None:
    account, elsewhere = Account(), Tally(7000, 3)
    account.ask()
    account.told(FILE, elsewhere, 1)
    account.enter(ONE)
    account.ask()
    account.enter(TWO)
    account.ask()
    assert account.tally == elsewhere + ONE + TWO
    assert account.told(FILE, ONE + TWO, 3)
    assert account.tally == elsewhere + ONE + TWO


def test_memory_that_takes_the_place_of_a_file_makes_nothing_unspent() -> None:
    account = Account()
    account.ask()
    account.told(FILE, TWO, 40)
    account.enter(ONE)
    account.ask()
    assert account.told(MEMORY, ONE, 1)
    assert (account.tally, account.last) == (ONE + TWO, 40)
    account.ask()
    assert account.told(FILE, ONE, 41)
    assert account.tally == ONE + TWO


def test_a_file_that_takes_the_place_of_memory_is_asked_for_everything() -> None:
    account = Account()
    account.enter(ONE)
    account.ask()
    assert account.told(MEMORY, ONE, 1)
    account.ask()
    assert not account.told(FILE, NOTHING, 41)
    assert account.ask() == 0
    assert account.told(FILE, ONE + TWO, 41)
    assert account.tally == ONE + TWO


def test_what_this_process_has_seen_is_never_unspent() -> None:
    account = Account()
    account.enter(ONE)
    account.ask()
    account.told(FILE, NOTHING, 1)
    assert account.tally == ONE

"""Money is exact to the picodollar."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.storage.money import LARGEST, shown, stored


@given(st.integers(-LARGEST, LARGEST))
def test_what_is_shown_is_what_was_stored(picodollars: int) -> None:
    assert stored(shown(picodollars)) == picodollars


@pytest.mark.parametrize(
    ("picodollars", "text"),
    [(0, "0"), (1, "0.000000000001"), (-1_500_000_000_000, "-1.5"), (10**14, "100"), (10**20, "100000000")],
)
def test_amounts_have_no_exponent_and_no_zeros_at_their_end(picodollars: int, text: str) -> None:
    assert shown(picodollars) == text


def test_what_is_finer_is_rounded_and_what_is_larger_is_cut() -> None:
    assert stored(Decimal("0.0000000000016")) == 2
    assert (stored("1e99"), stored("-1e99")) == (LARGEST, -LARGEST)

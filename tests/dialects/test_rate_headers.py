import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.dialects.rate_headers import MAX_RESET_S, NAMES, Allowance, allowances

DATE = "Sun, 01 Nov 2026 12:00:00 GMT"
STEADY = {
    "content-type": "application/json",
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-limit-tokens": "30000",
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-tokens": "6m0s",
    "x-ratelimit-remaining-project-tokens": "5",
}
DATED = {
    "date": DATE,
    "vendor-ratelimit-requests-limit": "50",
    "vendor-ratelimit-requests-remaining": "49",
    "vendor-ratelimit-requests-reset": "2026-11-01T12:00:02Z",
    "vendor-ratelimit-tokens-limit": "48000",
    "vendor-ratelimit-tokens-remaining": "47000",
    "vendor-ratelimit-tokens-reset": "2026-11-01T12:00:00.5+00:00",
    "vendor-ratelimit-input-tokens-limit": "40000",
    "vendor-ratelimit-input-tokens-remaining": "40000",
    "vendor-ratelimit-input-tokens-reset": "2026-11-01T11:59:59Z",
    "vendor-ratelimit-output-tokens-limit": "8000",
    "vendor-ratelimit-output-tokens-remaining": "7000",
    "vendor-ratelimit-output-tokens-reset": "2026-11-01T13:00:10+01:00",
    "vendor-priority-output-tokens-remaining": "0",
    "vendor-priority-ratelimit-requests-remaining": "0",
}


def test_both_families_are_read() -> None:
    assert allowances(STEADY) == {"requests": Allowance(499, 500, 0.12), "tokens": Allowance(0, 30000, 360.0)}
    assert allowances(DATED) == {
        "requests": Allowance(49, 50, 2.0),
        "tokens": Allowance(47000, 48000, 0.5),
        "input_tokens": Allowance(40000, 40000, 0.0),
        "output_tokens": Allowance(7000, 8000, 10.0),
    }


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("12ms", 0.012),
        ("6m0s", 360.0),
        ("1h2m3.5s", 3723.5),
        ("2m59.56s", 179.56),
        ("250µs", 0.00025),
        ("0s", 0.0),
        ("7", 7.0),
        ("0.5", 0.5),
        ("Sun, 01 Nov 2026 12:00:09 GMT", 9.0),
        ("2026-11-01T12:00:09Z", 9.0),
        ("2026-11-01T12:00:09", None),
        ("1793534400", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("6m0", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_reset_may_be_written_in_many_ways(reset: str, seconds: float | None) -> None:
    said = allowances({"date": DATE, "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": reset})
    expected = None if seconds is None else Allowance(0, None, pytest.approx(seconds))  # type: ignore[arg-type]
    assert said.get("requests") == expected


def test_a_date_means_nothing_without_the_date_of_the_answer() -> None:
    assert allowances({name: value for name, value in DATED.items() if name != "date"}) == {}


@pytest.mark.parametrize(
    ("limit", "remaining", "sensible"),
    [
        ("10", "0", True),
        ("10", "10", True),
        ("10.0", "3.0", True),
        ("0", "0", False),
        ("-1", "0", False),
        ("-1", "-1", False),
        ("10", "-1", False),
        ("10", "11", False),
        ("10", "", False),
        ("", "5", False),
        ("many", "5", False),
    ],
)
def test_nonsense_is_not_believed(limit: str, remaining: str, *, sensible: bool) -> None:
    headers = {
        "x-ratelimit-limit-tokens": limit,
        "x-ratelimit-remaining-tokens": remaining,
        "x-ratelimit-reset-tokens": "1s",
    }
    assert ("tokens" in allowances(headers)) is sensible


def test_what_is_not_told_in_full_is_not_guessed() -> None:
    assert allowances({"x-ratelimit-limit-requests": "9", "x-ratelimit-reset-requests": "1s"}) == {}
    assert allowances({"x-ratelimit-limit-requests": "9", "x-ratelimit-remaining-requests": "1"}) == {}


@given(st.dictionaries(st.sampled_from([f"x-ratelimit-{name}" for name in NAMES] + ["date"]), st.text(max_size=30)))
def test_whatever_is_said_is_in_bounds(headers: dict[str, str]) -> None:
    for said in allowances(headers).values():
        assert said.remaining >= 0
        assert said.limit is None or said.limit >= said.remaining
        assert 0 <= said.reset_s <= MAX_RESET_S

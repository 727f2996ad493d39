import msgspec
import pytest

from sidecar.catalog.rules import Rule

RULE = Rule(
    equals=("one",),
    starts_with=("two-",),
    ends_with=("-three",),
    contains=("four",),
    regex=("^f.ve$",),
    every=((Rule(starts_with=("six",)), Rule(ends_with=("seven", "eight"))),),
)


@pytest.mark.parametrize("model", ["one", "two-x", "x-three", "x4four4x", "five", "six-seven", "six-eight"])
def test_any_clause_is_enough(model: str) -> None:
    assert RULE.matches(model)


@pytest.mark.parametrize("model", ["", "ones", "two", "three", "xfive", "six", "x-seven"])
def test_nothing_else_matches(model: str) -> None:
    assert not RULE.matches(model)


def test_an_empty_rule_matches_nothing() -> None:
    assert not Rule().matches("")


def test_a_rule_survives_its_file() -> None:
    assert msgspec.json.decode(msgspec.json.encode(RULE), type=Rule) == RULE

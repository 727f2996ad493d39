from hypothesis import given
from hypothesis import strategies as st

from sidecar.catalog.observations import KEPT, MAX_MODELS, Observations, Pace
from sidecar.schema.chat import Origin

HERE = Origin("openai", "https://api.openai.com/v1", "gpt-6-sol")


def test_of_what_was_never_used_nothing_is_known() -> None:
    assert Observations().pace(HERE) == Pace()


def test_the_middle_of_what_was_seen_counts() -> None:
    seen = Observations()
    for pace in (Pace(900, 10.0), Pace(100, 30.0), Pace(200)):
        seen.record(HERE, pace)
    assert seen.pace(HERE) == Pace(200, 10.0)


def test_models_of_the_same_name_are_told_apart_by_their_server() -> None:
    seen = Observations()
    seen.record(HERE, Pace(100))
    assert seen.pace(Origin("openai", "https://eu.api.openai.com/v1", "gpt-6-sol")) == Pace()


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=3 * KEPT))
def test_only_the_latest_answers_count(times: list[int]) -> None:
    seen = Observations()
    for ms in times:
        seen.record(HERE, Pace(ms))
    latest = sorted(times[-KEPT:])
    assert seen.pace(HERE) == Pace(latest[(len(latest) - 1) // 2])


def test_the_model_used_longest_ago_is_forgotten_first() -> None:
    seen = Observations()
    origins = [Origin("p", "e", str(number)) for number in range(MAX_MODELS)]
    for origin in (*origins, origins[0], HERE):
        seen.record(origin, Pace(7))
    known = [origin for origin in (*origins, HERE) if seen.pace(origin) == Pace(7)]
    assert known == [origins[0], *origins[2:], HERE]

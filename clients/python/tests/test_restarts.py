import pytest

from llm_sidecar.configurations import Configurations
from llm_sidecar.encoding import encode
from llm_sidecar.restarts import Restarts


def after_failures(count: int, at: float = 100.0) -> Restarts:
    restarts = Restarts()
    for _ in range(count):
        restarts.note_end(None, at)
    return restarts


@pytest.mark.parametrize(("failures", "wait"), [(0, 0.0), (1, 0.0), (2, 0.25), (3, 0.5), (4, 1.0)])
def test_the_wait_doubles_with_each_failure(failures: int, wait: float) -> None:
    assert after_failures(failures).wait(100.0) == wait


def test_time_that_has_passed_counts() -> None:
    assert after_failures(4).wait(100.75) == 0.25
    assert after_failures(4).wait(200.0) == 0.0


def test_after_too_many_failures_there_is_a_pause() -> None:
    restarts = after_failures(5)
    assert restarts.wait(129.9) is None
    assert restarts.wait(130.0) == 0.0
    restarts.note_end(None, 130.0)
    assert restarts.wait(159.9) is None


@pytest.mark.parametrize(("lasted", "wait"), [(9.9, 1.0), (10.0, 0.0)])
def test_a_sidecar_that_lasted_did_not_fail(lasted: float, wait: float) -> None:
    restarts = after_failures(3)
    restarts.note_end(100.0, 100.0 + lasted)
    assert restarts.wait(100.0 + lasted) == wait


def calls(*made: tuple[str, str]) -> list[tuple[str, bytes]]:
    configurations = Configurations()
    for method, params in made:
        configurations.note(f"providers.{method}", params.encode())
    return [(method.removeprefix("providers."), encode(params)) for method, params in configurations.calls()]


A = '{"config":{"provider":"a","api_key":"k","new":1}}'
B = '{"config":{"provider":"a","id":"b"}}'


def test_what_was_configured_is_configured_again_as_it_was() -> None:
    assert calls(("configure", A), ("configure", B)) == [("configure", A.encode()), ("configure", B.encode())]


def test_the_active_provider_comes_last() -> None:
    assert calls(("set_active", A), ("configure", B)) == [("configure", B.encode()), ("set_active", A.encode())]


def test_a_provider_without_a_configuration_stays_active() -> None:
    by_id = '{"config":null,"provider":"c"}'
    assert calls(("set_active", A), ("set_active", by_id)) == [
        ("configure", A.encode()),
        ("set_active", b'{"provider":"c"}'),
    ]


def test_what_was_removed_stays_away() -> None:
    assert calls(("set_active", A), ("remove", '{"provider":"a"}')) == []
    assert calls(("set_active", A), ("set_active", B), ("remove", '{"provider":"a"}')) == [("set_active", B.encode())]


def test_a_later_configuration_replaces_an_earlier_one() -> None:
    other = '{"config":{"provider":"a","model":"m"}}'
    assert calls(("set_active", A), ("configure", other)) == [("set_active", other.encode())]


def test_other_methods_change_nothing() -> None:
    assert calls(("list", "{}"), ("test", A)) == []

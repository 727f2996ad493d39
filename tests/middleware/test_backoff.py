"""How long to wait before a request is sent again."""

import pytest

from sidecar.middleware.backoff import FIRST_S, JITTER, LONGEST_S, MAX_ASKED_S, pause
from sidecar.schema.errors import SidecarError

BUSY = SidecarError("provider_overloaded")


def test_pauses_double_up_to_a_bound() -> None:
    assert [pause(BUSY, retries, 0.0) for retries in range(6)] == [FIRST_S, 1.0, 2.0, 4.0, LONGEST_S, LONGEST_S]


def test_jitter_shortens_a_pause_by_a_bounded_part() -> None:
    assert pause(BUSY, 1, 1.0) == 1.0 - JITTER


def test_the_provider_is_not_asked_before_it_wants_to_be() -> None:
    error = SidecarError("rate_limited", retry_after_ms=9_000)
    assert pause(error, 0, 0.0) == 9.0
    assert 9.0 < (pause(error, 0, 1.0) or 0) < 10.0


def test_a_pause_that_is_too_long_is_left_to_the_host() -> None:
    assert pause(SidecarError("rate_limited", retry_after_ms=int(MAX_ASKED_S * 1000)), 0, 0.0) == MAX_ASKED_S
    assert pause(SidecarError("rate_limited", retry_after_ms=int(MAX_ASKED_S * 1000) + 1), 0, 0.0) is None


@pytest.mark.parametrize(
    "type_",
    ["insufficient_quota", "context_length_exceeded", "content_filtered", "authentication", "output_invalid", "tls"],
)
def test_what_will_not_pass_is_not_waited_for(type_: str) -> None:
    assert pause(SidecarError(type_), 0, 0.0) is None  # type: ignore[arg-type]


def test_the_providers_own_verdict_counts_first() -> None:
    assert pause(SidecarError("request_rejected", retryable=True), 0, 0.0) == FIRST_S
    assert pause(SidecarError("server_error", retryable=False), 0, 0.0) is None


@pytest.mark.parametrize(("stage", "seconds"), [("connect", FIRST_S), ("first_token", None), ("idle", None)])
def test_a_provider_that_took_the_question_is_not_asked_twice(stage: str, seconds: float | None) -> None:
    assert pause(SidecarError("timeout", stage=stage), 0, 0.0) == seconds

"""Headers of error responses."""

import pytest

from sidecar.dialects.response_headers import request_id, retry_after_ms, should_retry

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
LATER = "Sun, 06 Nov 1994 08:50:07 GMT"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "6"}, 6000),
        ({"retry-after": "0.5"}, 500),
        ({"retry-after-ms": "250", "retry-after": "9"}, 250),
        ({"retry-after-ms": "0", "retry-after": "1"}, 1000),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": LATER, "date": DATE}, 30_000),
        ({"retry-after": DATE, "date": LATER}, None),
        ({"retry-after": LATER}, None),
    ],
)
def test_the_wait_is_in_milliseconds(headers: dict[str, str], wait: int | None) -> None:
    assert retry_after_ms(headers) == wait


def test_the_request_has_one_of_many_names() -> None:
    assert request_id({"apim-request-id": "a", "request-id": "b"}) == "b"
    assert request_id({"x-generation-id": "gen-1", "x-request-id": ""}) == "gen-1"
    assert request_id({}) is None


def test_the_provider_may_forbid_or_demand_another_try() -> None:
    assert [should_retry({"x-should-retry": value}) for value in ("true", "False", "maybe")] == [True, False, None]
    assert should_retry({}) is None

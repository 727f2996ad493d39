"""Token counts and prices, wherever servers put them."""

from typing import Any

import pytest
from chat_dialect import aim, delta, events_of

from sidecar.dialects.openai_chat import DIALECT
from sidecar.framing.frame import Frame
from sidecar.schema.events import UsageDelta


def usages_of(*chunks: Any, **quirks: Any) -> list[UsageDelta]:
    return [event for event in events_of(*chunks, delta("stop"), **quirks) if isinstance(event, UsageDelta)]


def usage_of(usage: Any, **quirks: Any) -> UsageDelta:
    return usages_of({"choices": [], "usage": usage}, **quirks)[-1]


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            UsageDelta(
                input_tokens=100, output_tokens=50, reasoning_tokens=20, cache_read_tokens=60, cache_write_tokens=10
            ),
        ),
        ({"prompt_tokens": 5.0, "completion_tokens": 0}, UsageDelta(input_tokens=5, output_tokens=0)),
        ({"prompt_tokens": None, "completion_tokens": 2, "prompt_tokens_details": None}, UsageDelta(output_tokens=2)),
        ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 4}, UsageDelta(input_tokens=9, cache_read_tokens=4)),
        ({"prompt_tokens": 9, "num_cached_tokens": 3}, UsageDelta(input_tokens=9, cache_read_tokens=3)),
        ({"prompt_tokens": 9, "cached_tokens": 2}, UsageDelta(input_tokens=9, cache_read_tokens=2)),
        (
            {"prompt_tokens": 9, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 3},
            UsageDelta(input_tokens=9, cache_read_tokens=2, cache_write_tokens=3),
        ),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cache_creation_input_tokens": 3}},
            UsageDelta(input_tokens=9, cache_write_tokens=3),
        ),
        (
            {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}},
            UsageDelta(input_tokens=3, cache_read_tokens=3),
        ),
        (
            {"prompt_tokens": 3, "completion_tokens": 4, "reasoning_tokens": 6, "total_tokens": 13},
            UsageDelta(input_tokens=3, output_tokens=10, reasoning_tokens=6),
        ),
        (
            {"prompt_tokens": 3, "completion_tokens": 4, "reasoning_tokens": 6, "total_tokens": 7},
            UsageDelta(input_tokens=3, output_tokens=4, reasoning_tokens=4),
        ),
        ({"prompt_tokens": -1, "completion_tokens": "7"}, UsageDelta(input_tokens=0)),
    ],
)
def test_counts_are_inclusive_and_consistent(wire: Any, usage: UsageDelta) -> None:
    assert usage_of(wire) == usage


def test_a_server_may_leave_reasoning_out_of_its_output() -> None:
    wire = {"completion_tokens": 4, "completion_tokens_details": {"reasoning_tokens": 3}}
    assert usage_of(wire, reasoning_excluded=True).output_tokens == 7
    assert usage_of(wire).output_tokens == 4
    told = wire | {"prompt_tokens": 1, "total_tokens": 5}
    assert usage_of(told, reasoning_excluded=True).output_tokens == 4


def test_counts_are_found_in_any_place_and_told_when_they_change() -> None:
    counts = {"prompt_tokens": 2, "completion_tokens": 1}
    usage = UsageDelta(input_tokens=2, output_tokens=1)
    assert usages_of({"choices": [{"delta": {"content": "a"}, "usage": counts}]}) == [usage]
    assert usages_of({"choices": [], "x_groq": {"usage": counts}}) == [usage]
    assert usages_of({"usage": counts}, {"usage": counts}, {"usage": {"completion_tokens": 3}}, {"usage": {}}) == [
        usage,
        UsageDelta(input_tokens=2, output_tokens=3),
    ]


@pytest.mark.parametrize(
    ("number", "cost"),
    [
        (b"0.00008725", "0.00008725"),
        (b"8.335e-05", "0.00008335"),
        (b"0.1000000000000000055", "0.1000000000000000055"),
        (b"0", "0"),
        (b'"0.5"', "0.5"),
        (b"null", None),
        (b'"free"', None),
        (b"{}", None),
        (b'"NaN"', None),
        (b"-0.5", None),
        (b'"1e999999999"', None),
        (b'{"input_tokens_cost":0.001,"total_cost":0.006}', "0.006"),
        (b'{"total_cost":{}}', None),
        (b"[]", None),
    ],
)
def test_a_price_is_told_to_the_last_digit(number: bytes, cost: str | None) -> None:
    chunk = b'{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"cost":%s}}' % number
    decoder = DIALECT.decode_stream(aim(cost_field=True))
    decoder.feed(Frame(chunk))
    assert decoder.cost == cost
    unpriced = DIALECT.decode_stream(aim())
    unpriced.feed(Frame(chunk))
    assert unpriced.cost is None


def test_a_cost_in_ticks_is_a_cost_in_dollars() -> None:
    decoder = DIALECT.decode_stream(aim())
    [*decoder.feed(Frame(b'{"choices":[],"usage":{"prompt_tokens":1,"cost_in_usd_ticks":37756000}}'))]
    assert decoder.cost == "0.0037756"

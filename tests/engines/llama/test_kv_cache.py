from typing import Any

import pytest

from sidecar.engines.llama.kv_cache import EMBEDDING, HEADS, KEY, KV_HEADS, LAYERS, VALUE, width

PLAIN = {LAYERS: 30, EMBEDDING: 576, HEADS: 9}


@pytest.mark.parametrize(
    ("fields", "numbers"),
    [
        (PLAIN, 30 * 9 * 2 * 64),
        (PLAIN | {KV_HEADS: 3}, 30 * 3 * 2 * 64),
        (PLAIN | {KV_HEADS: 3, KEY: 128}, 30 * 3 * (128 + 64)),
        (PLAIN | {KV_HEADS: 1, KEY: 576, VALUE: 512}, 30 * (576 + 512)),
        (PLAIN | {LAYERS: 4, KV_HEADS: [0, 3, 0, 2]}, 5 * 2 * 64),
        (PLAIN | {LAYERS: 2, HEADS: [9, 3], KV_HEADS: [3, 1]}, 4 * 2 * 64),
    ],
)
def test_a_token_takes_a_key_and_a_value_for_each_head_of_each_layer(fields: dict[str, Any], numbers: int) -> None:
    assert width(fields) == numbers


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {LAYERS: 30},
        PLAIN | {LAYERS: None},
        PLAIN | {HEADS: 0},
        PLAIN | {HEADS: -1},
        PLAIN | {EMBEDDING: "many"},
        PLAIN | {HEADS: True},
    ],
)
def test_a_header_that_does_not_tell_gives_no_width(fields: dict[str, Any]) -> None:
    assert width(fields) is None

import pytest
from caller import Caller

from sidecar.schema.chat import FinishReason
from sidecar.schema.events import TextDelta
from sidecar.schema.usage import Cost
from sidecar.storage.answers import MEMORY_BYTES, Entry, KeptAnswer

pytestmark = pytest.mark.anyio

ANSWER = KeptAnswer(
    deltas=[TextDelta(0, "Hello")], finish=FinishReason("stop"), warnings=[], structured=None, cost=Cost(amount="0")
)


def keep(caller: Caller, name: bytes, *tags: str) -> None:
    caller.policies.answers.keep(Entry(name, tags, None), ANSWER)


async def test_stats_tell_what_is_kept(caller: Caller) -> None:
    keep(caller, b"one")
    found = await caller.call("cache.stats")
    assert found.pop("bytes") > 1000
    assert found == {
        "entries": 1,
        "max_bytes": MEMORY_BYTES,
        "hits": 0,
        "misses": 0,
        "joined": 0,
        "stored": 1,
        "storage": {"state": "memory"},
    }


async def test_answers_are_dropped_by_tag_or_all(caller: Caller) -> None:
    keep(caller, b"one")
    keep(caller, b"other", "a")
    assert await caller.call("cache.clear", tag="a") == {"removed": 1}
    assert await caller.call("cache.clear") == {"removed": 1}
    assert await caller.call("cache.clear") == {"removed": 0}


async def test_a_tag_is_never_empty(caller: Caller) -> None:
    assert (await caller.error("cache.clear", tag=""))["data"]["type"] == "invalid_params"

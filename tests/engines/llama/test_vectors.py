"""Vectors from a worker that does what it is told."""

import os
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread
from local_models import FAKE, Question, gguf, running, target_for

from sidecar.engines.llama import lease
from sidecar.engines.llama.gguf import ModelFile
from sidecar.engines.llama.local import LocalModels
from sidecar.engines.llama.resident import ModelKey, Resident
from sidecar.handler import Embedded
from sidecar.schema.chat import Warning
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Cost, Usage

pytestmark = pytest.mark.anyio

TOO_LONG_S = 0.5
"""Cancelling is to take 100 ms; the rest is for a busy test machine."""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf())
    return path


def write_model(model: Path, **metadata: int) -> None:
    """Give the file other metadata."""
    model.write_bytes(gguf({f"llama.{name}": number for name, number in metadata.items()}))


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """Return a named pipe by which a worker tells that it has begun."""
    path = tmp_path / "begun.pipe"
    os.mkfifo(path)
    return path


async def embed(engine: LocalModels, path: Path, *texts: str, **options: Any) -> Embedded:
    return await engine.embed(target_for(path), EmbeddingRequest(input=list(texts), **options))


async def refused(engine: LocalModels, path: Path, *texts: str, **options: Any) -> SidecarError:
    with pytest.raises(SidecarError) as raised:
        await embed(engine, path, *texts, **options)
    return raised.value


async def cancelled(engine: LocalModels, model: Path, pipe: Path, order: str) -> float:
    """Cancel a text that the worker has begun with; return how many seconds it took to end."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(embed, engine, model, f"{order} {pipe}")
        assert await to_thread.run_sync(pipe.read_text, abandon_on_cancel=True) == "begun"
        started = time.monotonic()
        tasks.cancel_scope.cancel()
    return time.monotonic() - started


async def test_vectors_come_in_the_order_of_the_texts(model: Path) -> None:
    async with running(FAKE) as engine:
        embedded = await embed(engine, model, "four", "a", "longest", "a", "two")
    assert embedded == Embedded(
        vectors=[[float(size), 1.0, 2048.0] for size in (4, 1, 7, 1, 3)],
        usage=Usage(input_tokens=15, output_tokens=0),
        cost=Cost(amount="0", source="free"),
        warnings=(),
    )


async def test_a_worker_that_chats_gives_no_vectors_and_stays(model: Path) -> None:
    async with running(FAKE) as engine:
        first, second = Question(target_for(model), "count"), Question(target_for(model), "count")
        await engine.chat(first.call, first.emit)
        assert [(await embed(engine, model, "a")).vectors[0][1] for _ in range(2)] == [1.0, 2.0]
        await engine.chat(second.call, second.emit)
    assert (first.said, second.said) == ("1", "2")


@pytest.mark.parametrize(
    ("metadata", "settings", "context"),
    [
        ({"context_length": 32_768}, {}, 2048),
        ({"context_length": 32_768}, {"context_size": 16_384}, 2048),
        ({"context_length": 32_768}, {"context_size": 512}, 512),
        ({"context_length": 32_768, "pooling_type": 3}, {}, 8192),
        ({"context_length": 32_768, "pooling_type": 3}, {"context_size": 16_384}, 16_384),
        ({"context_length": 512, "pooling_type": 2}, {}, 512),
    ],
)
async def test_only_models_made_for_vectors_take_texts_as_long_as_chats(
    model: Path, metadata: dict[str, int], settings: dict[str, int], context: int
) -> None:
    write_model(model, **metadata)
    async with running(FAKE) as engine:
        embedded = await engine.embed(target_for(model, **settings), EmbeddingRequest(input=["a"]))
    assert embedded.vectors == [[1.0, 1.0, context]]


@pytest.mark.parametrize(
    ("told", "used"), [(None, "mean"), ("none", "mean"), ("mean", "mean"), ("cls", "cls"), ("last", "last")]
)
async def test_a_model_makes_vectors_as_its_file_says_or_else_their_mean(told: str | None, used: str) -> None:
    file = ModelFile("llama", None, 2048, 4096, told)
    assert Resident(ModelKey("/m.gguf", None, None, None, "auto", "vectors"), file).pooling == used
    assert Resident(ModelKey("/m.gguf", None, None, None, "auto"), file).pooling is None


async def test_a_model_for_ranking_is_refused(model: Path) -> None:
    write_model(model, pooling_type=4)
    async with running(FAKE) as engine:
        error = await refused(engine, model, "a")
    assert (error.type, error.details) == ("unsupported_feature", {"provider": "local", "model": "tiny"})
    assert error.message == "The model file tiny.gguf gives scores or the like, not vectors."


async def test_an_empty_text_is_refused(model: Path) -> None:
    async with running(FAKE) as engine:
        error = await refused(engine, model, "a", "", "b")
    assert (error.type, error.message) == ("invalid_params", "Text 2 is empty; there is nothing to make a vector of.")


OPTIONS: dict[str, Any] = {"dimensions": 8, "purpose": "query", "provider_options": {"local": {"a": 1}}}


@pytest.mark.parametrize("param", OPTIONS)
async def test_what_local_models_do_not_do_is_told(model: Path, param: str) -> None:
    message = f"tiny runs locally and takes no `{param}` for vectors; it was left out."
    async with running(FAKE) as engine:
        embedded = await embed(engine, model, "a", **{param: OPTIONS[param]})
        error = await refused(engine, model, "a", on_unsupported="error", **{param: OPTIONS[param]})
    assert embedded.warnings == (Warning("unsupported_parameter", message, param),)
    assert (error.type, error.details["param"]) == ("unsupported_parameter", param)


async def test_options_of_others_are_none_of_its_business(model: Path) -> None:
    async with running(FAKE) as engine:
        embedded = await embed(engine, model, "a", provider_options={"elsewhere": {"a": 1}}, on_unsupported="error")
    assert embedded.warnings == ()


async def test_a_cancelled_request_ends_at_once_and_the_next_is_served(model: Path, pipe: Path) -> None:
    async with running(FAKE) as engine:
        assert await cancelled(engine, model, pipe, "hang") < TOO_LONG_S
        assert (await embed(engine, model, "a")).vectors == [[1.0, 2.0, 2048.0]]


async def test_a_slow_worker_does_not_hold_up_who_cancels_and_serves_the_next(model: Path, pipe: Path) -> None:
    async with running(FAKE) as engine:
        assert await cancelled(engine, model, pipe, "slow") < TOO_LONG_S
        pipe.with_suffix(".go").touch()
        assert (await embed(engine, model, "a")).vectors == [[1.0, 2.0, 2048.0]]


async def test_a_worker_that_never_stops_is_replaced(model: Path, pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "DRAIN_S", 0.05)
    async with running(FAKE) as engine:
        assert await cancelled(engine, model, pipe, "slow") < TOO_LONG_S
        assert (await embed(engine, model, "a")).vectors == [[1.0, 1.0, 2048.0]]


async def test_a_crash_costs_one_request(model: Path) -> None:
    async with running(FAKE) as engine:
        error = await refused(engine, model, "fine", "die SIGSEGV")
        assert (error.type, "it read memory that it may not read" in error.message) == ("engine_crashed", True)
        assert (await embed(engine, model, "a")).vectors == [[1.0, 1.0, 2048.0]]


async def test_a_failure_leaves_the_worker_in_place(model: Path) -> None:
    async with running(FAKE) as engine:
        error = await refused(engine, model, "a", "fail too long")
        assert (error.type, error.message) == ("context_length_exceeded", "too long")
        assert (await embed(engine, model, "a")).vectors == [[1.0, 2.0, 2048.0]]


async def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    async with running(FAKE) as engine:
        error = await refused(engine, tmp_path / "no.gguf", "a")
    assert (error.type, error.message) == ("model_file_invalid", "The model file no.gguf does not exist.")


async def test_requests_take_turns(model: Path) -> None:
    async with running(FAKE) as engine:
        served: list[float] = []

        async def ask() -> None:
            served.append((await embed(engine, model, "a", "b")).vectors[0][1])

        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(ask)
    assert served == [1.0, 2.0, 3.0, 4.0]


async def test_megabytes_of_text_reach_the_worker(model: Path) -> None:
    texts = ["x" * (1 << 20) for _ in range(16)]
    async with running(FAKE) as engine:
        embedded = await embed(engine, model, *texts)
    assert [vector[0] for vector in embedded.vectors] == [float(1 << 20)] * 16

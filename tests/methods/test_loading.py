from collections.abc import Callable

import pytest
from caller import Caller

from sidecar.handler import Target
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status
from sidecar.schema.loading import LoadedModel, UnloadedModel
from sidecar.schema.tasks import TaskProgress

pytestmark = pytest.mark.anyio

LOADED = LoadedModel(
    provider="local",
    model="tiny",
    runtime="xllamacpp",
    context_size=2048,
    parallel=4,
    memory_bytes=7,
    load_ms=1,
)


class Loader:
    """An engine that loads what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, object]] = []
        self.failure: SidecarError | None = None

    async def load(self, target: Target, context_size: int | None, report: Callable[[Status], None]) -> LoadedModel:
        self.asked.append(("load", target.endpoint, context_size))
        report(Status(state="queued"))
        report(Status(state="loading_model", progress=0.5))
        if self.failure is not None:
            raise self.failure
        return LOADED

    async def unload(self, target: Target, answers: str) -> UnloadedModel:
        self.asked.append(("unload", target.endpoint, answers))
        return UnloadedModel(2)


@pytest.fixture
async def loader(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> Loader:
    loader = Loader()
    monkeypatch.setattr(caller.engine, "load", loader.load, raising=False)
    monkeypatch.setattr(caller.engine, "unload", loader.unload, raising=False)
    await caller.call("providers.set_active", config={"provider": "local", "model_path": "/models/tiny.gguf"})
    return loader


async def test_a_model_is_loaded_with_the_context_that_was_asked_for(caller: Caller, loader: Loader) -> None:
    assert await caller.call("models.load", context_size=2048) == {
        "provider": "local",
        "model": "tiny",
        "runtime": "xllamacpp",
        "context_size": 2048,
        "parallel": 4,
        "memory_bytes": 7,
        "load_ms": 1,
    }
    assert loader.asked == [("load", "/models/tiny.gguf", 2048)]


async def test_how_far_a_load_is_is_told_under_the_id_of_the_task(caller: Caller, loader: Loader) -> None:
    await caller.call("models.load", task_id="mine")
    assert loader.asked == [("load", "/models/tiny.gguf", None)]
    assert caller.outlet.sent == [("task.progress", TaskProgress(task_id="mine", kind="load"))]


async def test_why_a_model_cannot_be_loaded_is_the_answer(caller: Caller, loader: Loader) -> None:
    loader.failure = SidecarError("out_of_memory", "Too large.")
    assert (await caller.error("models.load", model="tiny"))["data"]["type"] == "out_of_memory"


@pytest.mark.parametrize(("params", "answers"), [({}, "finish"), ({"force": True}, "end")])
async def test_answers_are_waited_for_unless_they_are_to_end(
    caller: Caller, loader: Loader, params: dict[str, bool], answers: str
) -> None:
    assert await caller.call("models.unload", **params) == {"unloaded": 2}
    assert loader.asked == [("unload", "/models/tiny.gguf", answers)]


@pytest.mark.parametrize("method", ["models.load", "models.unload"])
async def test_only_local_models_are_loaded_and_unloaded(caller: Caller, loader: Loader, method: str) -> None:
    error = await caller.error(method, provider="ollama", model="llama3")
    assert (error["data"]["type"], error["data"]["provider"]) == ("unsupported_feature", "ollama")
    assert error["message"] == "Ollama holds its models itself; only local models are loaded and unloaded."
    assert loader.asked == []


@pytest.mark.parametrize("params", [{"context_size": 0}, {"task_id": ""}, {"task_id": "x" * 300}])
async def test_what_makes_no_sense_is_refused(caller: Caller, loader: Loader, params: dict[str, object]) -> None:
    assert (await caller.error("models.load", **params))["data"]["type"] == "invalid_params"
    assert loader.asked == []

"""`models.load` and `models.unload`."""

from collections.abc import Awaitable, Callable
from typing import Final, Literal, Protocol, cast

from sidecar.handler import Target
from sidecar.methods.services import Services
from sidecar.rpc.router import Method, Request
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import Status
from sidecar.schema.loading import LoadedModel, LoadParams, UnloadedModel, UnloadParams
from sidecar.schema.tasks import TaskReport
from sidecar.targets import TARGET_ERRORS, Choice
from sidecar.tasks import Task


class Loader(Protocol):
    """An engine that holds models in memory: those of the providers that offer loading."""

    async def load(self, target: Target, context_size: int | None, report: Callable[[Status], None]) -> LoadedModel: ...
    async def unload(self, target: Target, answers: Literal["finish", "end"]) -> UnloadedModel: ...


def load(services: Services, params: LoadParams, request: Request) -> Awaitable[LoadedModel]:
    """Load a model, telling how far it is; the reply says that it is ready."""
    choice = _choice(services, params)
    task = services.tasks.open(params.task_id, request.id)
    request.after_reply.append(lambda: services.tasks.close(task))
    return _load(services, params, choice, task)


async def _load(services: Services, params: LoadParams, choice: Choice, task: Task) -> LoadedModel:
    def report(status: Status) -> None:
        task.report(TaskReport(kind="load", progress=status.progress))

    target = await services.targets.resolve(choice)
    loader = await _loader(services, target)
    return await loader.load(target, params.context_size, report)


def unload(services: Services, params: UnloadParams, request: Request) -> Awaitable[UnloadedModel]:
    """Unload a model; the reply says that its memory is free."""
    del request
    return _unload(services, params, _choice(services, params))


async def _unload(services: Services, params: UnloadParams, choice: Choice) -> UnloadedModel:
    target = await services.targets.resolve(choice)
    loader = await _loader(services, target)
    return await loader.unload(target, "end" if params.force else "finish")


def _choice(services: Services, params: LoadParams | UnloadParams) -> Choice:
    choice = services.targets.choose(params.provider, params.model)
    record = choice.instance.record
    if "loading" not in record.offers:
        message = f"{record.name} holds its models itself; only local models are loaded and unloaded."
        raise SidecarError("unsupported_feature", message, provider=choice.provider)
    return choice


async def _loader(services: Services, target: Target) -> Loader:
    return cast("Loader", await services.engines.get(target.provider.engine))


METHODS: Final = (
    Method(
        name="models.load",
        summary="Loads a local model ahead of the first question, telling how far it is in `task.progress`.",
        params=LoadParams,
        result=LoadedModel,
        handler=load,
        errors=(
            *TARGET_ERRORS,
            "unsupported_feature",
            "timeout",
            "model_file_invalid",
            "out_of_memory",
            "engine_crashed",
            "engine_unavailable",
        ),
    ),
    Method(
        name="models.unload",
        summary="Ends the processes that hold a local model; the reply follows when their memory is free.",
        params=UnloadParams,
        result=UnloadedModel,
        handler=unload,
        errors=(*TARGET_ERRORS, "unsupported_feature", "engine_unavailable"),
    ),
)

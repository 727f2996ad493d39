"""Local models in memory: loading them ahead of a question, and having their memory back."""

from typing import Annotated

from msgspec import Meta, Struct

from sidecar.schema.tasks import TaskId


class LoadParams(Struct, frozen=True, kw_only=True):
    """Which model to load. `context_size` is in tokens; the configuration says what is left out.

    `task_id` names the task in `task.progress`; the default is the id of the request.
    """

    provider: str | None = None
    model: str | None = None
    context_size: Annotated[int, Meta(ge=1)] | None = None
    task_id: TaskId | None = None


class LoadedModel(Struct, frozen=True, kw_only=True):
    """A model that is ready. So many `parallel` answers are made at once; they share the context.

    `load_ms` is how long loading took, also where that was before; `memory_bytes` what the model takes now.
    """

    provider: str
    model: str
    runtime: str
    context_size: int
    parallel: int
    memory_bytes: int
    load_ms: int


class UnloadParams(Struct, frozen=True, kw_only=True):
    """Which model to unload. Answers in progress are waited for, or with `force` ended with `engine_crashed`."""

    provider: str | None = None
    model: str | None = None
    force: bool = False


class UnloadedModel(Struct, frozen=True, omit_defaults=True):
    """How many workers were ended, and how much memory they had, where the system tells. They are gone by now."""

    unloaded: int
    freed_bytes: int | None = None

"""Long tasks: what they tell while they run. The reply of the request that began one is its outcome."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

TaskKind = Literal["load", "download"]
TaskId = Annotated[
    str, Meta(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9._:-]+$", examples=["download-1", "load:smollm2"])
]


class TaskReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a task has come. `progress` is 0 to 1, and left out where the end is not known.

    A download also tells the bytes that it has, those left from an earlier attempt included, how many there are in
    all, how many come per second, and about how long the rest takes.
    """

    kind: TaskKind
    progress: float | None = None
    bytes: int | None = None
    total_bytes: int | None = None
    bytes_per_second: int | None = None
    eta_ms: int | None = None


class TaskProgress(TaskReport, frozen=True, kw_only=True, omit_defaults=True):
    """`task.progress`: the latest of a task counts. `task_id` is the caller's, or else the id of its request."""

    task_id: str

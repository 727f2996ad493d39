"""Models on disk: fetching and deleting them."""

from typing import Annotated

from msgspec import Meta, Struct

from sidecar.schema.tasks import TaskId

Sha256 = Annotated[str, Meta(pattern="^[0-9A-Fa-f]{64}$", examples=["9f86d081884c7d65" * 4])]
Revision = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$", examples=["main"])
]


class DownloadParams(Struct, frozen=True, kw_only=True):
    """Which model file to fetch: the one at `url`, or `file` of a hub's repository `repo`, named owner/name.

    Of a model that is split into several files any one may be named; all are fetched. `sha256` is what a single file
    must have; without it the hub's word is taken, where it gives one. `revision` is a branch, a tag or a commit; `main`
    where it is left out.
    """

    url: str | None = None
    repo: str | None = None
    file: str | None = None
    revision: Revision | None = None
    sha256: Sha256 | None = None
    task_id: TaskId | None = None


class DownloadedModel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model that is there now, whole and checked. `path` is the first file of a split one, which has no `sha256`.

    `model` is its id.
    """

    model: str
    path: str
    size_bytes: int
    sha256: str | None = None


class DeleteModelParams(Struct, frozen=True, kw_only=True):
    """The id of a model in the sidecar's own folder, as `models.list` tells it."""

    model: str


class DeletedModel(Struct, frozen=True, kw_only=True):
    """Whether there was something to delete, and how many bytes that freed."""

    deleted: bool
    freed_bytes: int

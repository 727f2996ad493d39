"""`models.download` and `models.delete`."""

import asyncio
from collections.abc import Awaitable
from importlib import import_module
from typing import Final, Protocol, cast

from sidecar.credentials import KEYCHAIN_ERRORS
from sidecar.methods.services import Services
from sidecar.rpc.router import Method, Request
from sidecar.schema.downloads import DeletedModel, DeleteModelParams, DownloadedModel, DownloadParams
from sidecar.tasks import Task


class Holder(Protocol):
    """An engine that has models in memory."""

    def holds(self, path: str) -> bool: ...


def download(services: Services, params: DownloadParams, request: Request) -> Awaitable[DownloadedModel]:
    """Fetch a model, telling how far it is; the reply says where it lies."""
    task = services.tasks.open(params.task_id, request.id)
    request.after_reply.append(lambda: services.tasks.close(task))
    request.hang_up = request.cancel  # what has come is kept
    return _download(services, params, task)


async def _download(services: Services, params: DownloadParams, task: Task) -> DownloadedModel:
    await asyncio.to_thread(import_module, "sidecar.library.downloads")
    from sidecar.library.downloads import order_of  # a start does without it

    order = order_of(params)
    library = await services.library()
    return await library.downloads.fetch(order, task.report)


def delete(services: Services, params: DeleteModelParams, request: Request) -> Awaitable[DeletedModel]:
    """Delete a model from the sidecar's own folder."""
    del request
    return _delete(services, params)


async def _delete(services: Services, params: DeleteModelParams) -> DeletedModel:
    library = await services.library()
    holder = cast("Holder", await services.engines.get("llama"))
    return await library.delete(params.model, holder.holds)


METHODS: Final = (
    Method(
        name="models.download",
        summary="Fetches a model file, telling how far it is in `task.progress`. What broke off is resumed.",
        params=DownloadParams,
        result=DownloadedModel,
        handler=download,
        errors=(
            *KEYCHAIN_ERRORS,
            "model_not_found",
            "origin_not_allowed",
            "path_not_allowed",
            "authentication",
            "permission_denied",
            "rate_limited",
            "provider_overloaded",
            "server_error",
            "malformed_response",
            "stream_interrupted",
            "dns",
            "connect",
            "tls",
            "proxy",
            "timeout",
            "model_file_invalid",
            "download_failed",
            "checksum_mismatch",
            "disk_full",
            "model_in_use",
        ),
    ),
    Method(
        name="models.delete",
        summary="Deletes a model from the sidecar's own folder, all its files, and what is left of its download.",
        params=DeleteModelParams,
        result=DeletedModel,
        handler=delete,
        errors=("path_not_allowed", "model_in_use", "engine_unavailable"),
    ),
)

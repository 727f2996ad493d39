"""The table of all methods and notifications."""

from typing import Final

from sidecar.methods import (
    budgets,
    cache,
    chat,
    credentials,
    embeddings,
    estimates,
    files,
    loading,
    models,
    providers,
    recommendations,
    session,
    usage,
)
from sidecar.rpc.router import Method, NotificationRow
from sidecar.schema.events import StreamChunk, StreamStatus
from sidecar.schema.session import CancelRequestParams
from sidecar.schema.tasks import TaskProgress

METHODS: Final[tuple[Method, ...]] = (
    *session.METHODS,
    *providers.METHODS,
    *models.METHODS,
    *loading.METHODS,
    *files.METHODS,
    *recommendations.METHODS,
    *chat.METHODS,
    *estimates.METHODS,
    *embeddings.METHODS,
    *usage.METHODS,
    *budgets.METHODS,
    *cache.METHODS,
    *credentials.METHODS,
)

NOTIFICATIONS: Final = (
    NotificationRow(
        name="$/cancelRequest",
        summary="Cancels a pending request. Chat calls answer with what they have, others with `request_cancelled`.",
        params=CancelRequestParams,
        direction="client_to_server",
    ),
    NotificationRow(
        name="stream.chunk",
        summary="The next piece of a stream.",
        params=StreamChunk,
        direction="server_to_client",
    ),
    NotificationRow(
        name="stream.status",
        summary="What a stream is waiting for; the latest counts.",
        params=StreamStatus,
        direction="server_to_client",
    ),
    NotificationRow(
        name="task.progress",
        summary="How far a long task has come, such as a download; the latest counts. The reply is the outcome.",
        params=TaskProgress,
        direction="server_to_client",
    ),
)

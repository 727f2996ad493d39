"""`initialize`, `shutdown`, `server.ping`, `rpc.discover`."""

import os
import time
from collections.abc import Awaitable
from typing import Any, Final

from sidecar import __version__
from sidecar.methods.services import Services
from sidecar.rpc.router import Method, Request
from sidecar.schema.errors import SidecarError
from sidecar.schema.session import (
    PROTOCOL_VERSION,
    Empty,
    InitializeParams,
    InitializeResult,
    OpenRpc,
    Pong,
    ServerInfo,
)

CAPABILITIES: Final[dict[str, Any]] = {
    "chat": {"tools": {}, "structured_output": {}, "files": {}, "reasoning": {}, "fallback": {}, "privacy": {}},
    "providers": {"test": {}, "rate_limits": {}},
    "models": {"download": {}, "load": {}},
    "usage": {},
    "budgets": {},
    "cache": {},
    "credentials": {},
}


def initialize(services: Services, params: InitializeParams, request: Request) -> InitializeResult:
    """Open the session."""
    if request.connection.initialized:
        raise SidecarError("already_initialized")
    if params.protocol_version < 1:
        raise SidecarError("unsupported_protocol_version", f"This server speaks versions 1 to {PROTOCOL_VERSION}.")
    services.credentials.service = services.app_id or params.client_info.name
    if params.process_id is not None:
        services.watch_host(params.process_id)
    request.connection.initialized = True
    request.after_reply.append(services.prepare)
    return InitializeResult(
        protocol_version=min(params.protocol_version, PROTOCOL_VERSION),
        server_info=ServerInfo("llm-sidecar", __version__, os.getpid()),
        capabilities=CAPABILITIES,
        limits=services.limits,
    )


def shutdown(services: Services, params: Empty, request: Request) -> Awaitable[Empty]:
    """End streams, let the rest finish, reply last, and exit."""
    del params
    request.cancel = _keep_going
    request.after_reply.append(services.end)
    return _finished(request.connection.finish(services.limits.exit_grace_ms / 1000, but=request))


async def _finished(others: Awaitable[None]) -> Empty:
    await others
    return Empty()


def _keep_going() -> None:
    """Ignore a cancellation: a shutdown that has begun is not taken back."""


def ping(services: Services, params: Empty, request: Request) -> Pong:
    """Answer at once."""
    del params, request
    return Pong((time.monotonic_ns() - services.started_ns) // 1_000_000)


def discover(services: Services, params: Empty, request: Request) -> OpenRpc:
    """Describe this server."""
    del services, params, request
    from sidecar.methods.discovery import openrpc  # rarely asked for, and it knows every method

    return openrpc()


METHODS: Final = (
    Method(
        name="initialize",
        summary="Opens the session; must be the first request but for `server.ping` and `rpc.discover`.",
        params=InitializeParams,
        result=InitializeResult,
        handler=initialize,
        errors=("already_initialized", "unsupported_protocol_version"),
        before_initialize=True,
    ),
    Method(
        name="shutdown",
        summary="Ends streams, lets other requests finish within `limits.exit_grace_ms`, replies last, and exits 0.",
        params=Empty,
        result=Empty,
        handler=shutdown,
        unlimited=True,
    ),
    Method(
        name="server.ping",
        summary="Answers at once, however busy the sidecar is.",
        params=Empty,
        result=Pong,
        handler=ping,
        batchable=True,
        before_initialize=True,
        unlimited=True,
    ),
    Method(
        name="rpc.discover",
        summary="Answers with the OpenRPC document of this server.",
        params=Empty,
        result=OpenRpc,
        handler=discover,
        batchable=True,
        before_initialize=True,
    ),
)

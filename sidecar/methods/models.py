"""`models.list`."""

from collections.abc import Awaitable
from typing import Final

from sidecar.methods.services import Services
from sidecar.rpc.router import Method, Request
from sidecar.schema.errors import ErrorType
from sidecar.schema.models import ModelList
from sidecar.schema.providers import OptionalProvider
from sidecar.targets import TARGET_ERRORS, Choice

READING_ERRORS: Final[tuple[ErrorType, ...]] = (
    "unsupported_feature",
    "authentication",
    "permission_denied",
    "insufficient_quota",
    "rate_limited",
    "request_rejected",
    "provider_overloaded",
    "server_error",
    "malformed_response",
    "dns",
    "connect",
    "tls",
    "proxy",
    "timeout",
    "model_file_invalid",
    "engine_unavailable",
)


def list_(services: Services, params: OptionalProvider, request: Request) -> Awaitable[ModelList]:
    """List the models of a provider."""
    del request
    return _list(services, services.targets.choose_provider(params.provider))


async def _list(services: Services, choice: Choice) -> ModelList:
    target = await services.targets.resolve(choice)
    engine = await services.engines.get(target.provider.engine)
    return ModelList(target.id, await engine.models(target))


METHODS: Final = (
    Method(
        name="models.list",
        summary="Lists the models of a provider, or of the active one, as the provider tells them.",
        params=OptionalProvider,
        result=ModelList,
        handler=list_,
        errors=(*TARGET_ERRORS, *READING_ERRORS),
    ),
)

"""`models.list`."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from sidecar.handler import Target
from sidecar.methods.services import Services
from sidecar.redaction import redacted
from sidecar.rpc.router import Method, Request
from sidecar.schema.errors import ErrorType
from sidecar.schema.models import ModelInfo, ModelList
from sidecar.schema.providers import OptionalProvider
from sidecar.targets import TARGET_ERRORS, Choice

if TYPE_CHECKING:
    from sidecar.middleware.pricing import Prices

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
    models = await asked(services, target)
    return ModelList(target.id, await asyncio.to_thread(completed, models, target, services.policies().prices))


async def asked(services: Services, target: Target) -> list[ModelInfo]:
    """Return the models that a target tells of, and remember them for a while; one named after a key is none."""
    engine = await services.engines.get(target.provider.engine)
    models = _without_keys(await engine.models(target), target)
    services.listings.remember(target.id, target.endpoint, models, monotonic())
    return models


def _without_keys(models: list[ModelInfo], target: Target) -> list[ModelInfo]:
    """Leave out what a server calls by the key that it was sent; other headers may well name models."""
    logins = {"authorization", target.provider.key_header}
    secrets = [value for name, value in target.config.headers.items() if name.lower() in logins]
    known = [secret.reveal() for secret in (*secrets, target.key) if secret]

    def is_clean(told: str) -> bool:
        return redacted(told, known) == told

    if is_clean("\n".join(f"{info.id}\n{info.name}" for info in models)):
        return models
    return [info for info in models if is_clean(f"{info.id}\n{info.name}")]


def completed(models: list[ModelInfo], target: Target, prices: "Prices") -> list[ModelInfo]:
    """Return the models that a target told of, with what else is known of them now."""
    from sidecar.catalog.description import FREE, described  # a start does without it

    provider, at = target.provider, datetime.now(UTC)
    if provider.free:
        models = [replace(info, price=info.price or FREE) for info in models]
    models = [described(info, provider.id, provider.traits(target.config, info.id), at) for info in models]
    return [info if info.price else replace(info, price=prices.own(target, info.id)) for info in models]


def successor(kind: str, model: str) -> str | None:
    """Return what became of a provider's model if it is known to be gone, or to go."""
    from sidecar.catalog.facts import successor_hint  # a start does without it

    return successor_hint(kind, model, datetime.now(UTC).date())


METHODS: Final = (
    Method(
        name="models.list",
        summary="Lists the models that a provider, or the active one, tells of, with what else is known of them.",
        params=OptionalProvider,
        result=ModelList,
        handler=list_,
        errors=(*TARGET_ERRORS, *READING_ERRORS, "privacy_blocked"),
    ),
)

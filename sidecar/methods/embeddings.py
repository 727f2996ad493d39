"""`embeddings.create`."""

from collections.abc import Awaitable
from typing import Final

from sidecar.methods.models import READING_ERRORS
from sidecar.methods.services import Services
from sidecar.rpc.router import Method, Request
from sidecar.schema.embeddings import EmbeddingRequest, EmbeddingResult
from sidecar.schema.errors import SidecarError
from sidecar.targets import TARGET_ERRORS, Choice


def create(services: Services, params: EmbeddingRequest, request: Request) -> Awaitable[EmbeddingResult]:
    """Turn texts into vectors."""
    del request
    return _create(services, params, services.targets.choose(params.provider, params.model, params.privacy))


async def _create(services: Services, params: EmbeddingRequest, choice: Choice) -> EmbeddingResult:
    from sidecar.methods.texts import Texts  # a start does without it

    record = choice.instance.record
    if "embeddings" not in record.offers:
        message = f"{record.name} offers no embeddings."
        raise SidecarError("unsupported_feature", message, provider=choice.provider, hint="Ask another provider.")
    target = await services.targets.resolve(choice)
    engine = await services.engines.get(target.provider.engine)
    return await Texts(services, params, target, engine).turned()


METHODS: Final = (
    Method(
        name="embeddings.create",
        summary="Turns texts into vectors.",
        params=EmbeddingRequest,
        result=EmbeddingResult,
        handler=create,
        errors=(
            *TARGET_ERRORS,
            *READING_ERRORS,
            "model_not_found",
            "context_length_exceeded",
            "content_filtered",
            "unsupported_parameter",
            "payload_too_large",
            "out_of_memory",
            "engine_crashed",
            "budget_exceeded",
            "privacy_blocked",
        ),
    ),
)

"""`embeddings.create`."""

from collections.abc import Awaitable
from typing import Final

from sidecar.methods.models import READING_ERRORS
from sidecar.methods.services import Services
from sidecar.middleware.meter import priced
from sidecar.rpc.router import Method, Request
from sidecar.schema.embeddings import EmbeddingRequest, EmbeddingResult
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Cost, Usage
from sidecar.targets import TARGET_ERRORS, Choice
from sidecar.transcript import estimated_tokens


def create(services: Services, params: EmbeddingRequest, request: Request) -> Awaitable[EmbeddingResult]:
    """Turn texts into vectors."""
    del request
    return _create(services, params, services.targets.choose(params.provider, params.model))


async def _create(services: Services, params: EmbeddingRequest, choice: Choice) -> EmbeddingResult:
    record = choice.instance.record
    if "embeddings" not in record.offers:
        message = f"{record.name} offers no embeddings."
        raise SidecarError("unsupported_feature", message, provider=choice.provider, hint="Ask another provider.")
    target = await services.targets.resolve(choice)
    engine = await services.engines.get(target.provider.engine)
    embedded = await engine.embed(target, params)
    if len(embedded.vectors) != len(params.input):
        raise SidecarError("malformed_response", "The provider did not return one vector per text.")
    usage = embedded.usage or _estimate(params)
    return EmbeddingResult(
        vectors=embedded.vectors,
        usage=usage,
        cost=embedded.cost or priced(target, usage) or Cost(amount=None),
        warnings=list(embedded.warnings),
        provider=target.id,
        model=target.model,
    )


def _estimate(params: EmbeddingRequest) -> Usage:
    return Usage(input_tokens=sum(map(estimated_tokens, params.input)), output_tokens=0, source="estimated")


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
        ),
    ),
)

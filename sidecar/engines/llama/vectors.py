"""Our embedding request becomes what a worker is asked, and what it reports becomes vectors."""

from collections.abc import Sequence

from msgspec import Struct

from sidecar.engines.llama.process import Exchange
from sidecar.engines.llama.protocol import Done, Embed, Vector
from sidecar.handler import Embedded, Target
from sidecar.schema.chat import Warning
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Cost, Usage


class Texts(Struct, frozen=True):
    """Texts, longest first: one too long for the model is found before hours are spent on the others.

    `order` holds their places in the request.
    """

    texts: list[str]
    order: list[int]
    warnings: tuple[Warning, ...]

    def command(self, exchange_id: int) -> Embed:
        """Return the question to the worker."""
        return Embed(exchange_id, self.texts)


def encode(request: EmbeddingRequest, target: Target) -> Texts:
    """Return the texts; raises `SidecarError` for an empty one, and, under `on_unsupported: "error"`, for a warning."""
    warnings = tuple(_warning(param, target.model) for param in _unsupported(request, target))
    if warnings and request.on_unsupported == "error":
        raise SidecarError("unsupported_parameter", warnings[0].message, param=warnings[0].param)
    if "" in request.input:
        message = f"Text {request.input.index('') + 1} is empty; there is nothing to make a vector of."
        raise SidecarError("invalid_params", message, param="input")
    order = sorted(range(len(request.input)), key=lambda at: -len(request.input[at]))
    return Texts([request.input[at] for at in order], order, warnings)


def _unsupported(request: EmbeddingRequest, target: Target) -> list[str]:
    """Return the members of the request that local models do nothing with."""
    asked = {
        "dimensions": request.dimensions,
        "purpose": request.purpose,
        "provider_options": request.provider_options.keys() & {target.id, target.provider.id},
    }
    return [param for param, value in asked.items() if value]


def _warning(param: str, model: str) -> Warning:
    message = f"{model} runs locally and takes no `{param}` for vectors; it was left out."
    return Warning("unsupported_parameter", message, param)


async def collect(exchange: Exchange, texts: Texts, target: Target) -> Embedded:
    """Return the vectors as the worker reports them, in the order of the request."""
    vectors: list[list[float]] = []
    while isinstance(report := await exchange.next(), Vector):
        vectors.append(report.values)
    assert isinstance(report, Done)
    return Embedded(
        vectors=_placed(vectors, texts.order),
        usage=Usage(input_tokens=report.prompt_tokens, output_tokens=0),
        cost=Cost(amount="0", source="free") if target.provider.free else None,
        warnings=texts.warnings,
    )


def _placed(vectors: Sequence[list[float]], order: Sequence[int]) -> list[list[float]]:
    places = dict(zip(order, vectors, strict=True))
    return [places[at] for at in range(len(order))]

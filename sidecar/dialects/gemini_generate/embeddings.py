"""Vectors of texts. https://ai.google.dev/api/embeddings"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from sidecar.dialects import lenient
from sidecar.dialects.contract import Aim, HttpRequest, Vectors
from sidecar.dialects.counts import Counts, Number, checked
from sidecar.dialects.gemini_generate.encode import model_name, path
from sidecar.dialects.options import completed
from sidecar.dialects.report import Report
from sidecar.schema.embeddings import EmbeddingRequest, Purpose
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Usage

TASKS: Final[dict[Purpose, str]] = {
    "query": "RETRIEVAL_QUERY",
    "document": "RETRIEVAL_DOCUMENT",
    "similarity": "SEMANTIC_SIMILARITY",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
}


class Vector(Struct, frozen=True):
    """One vector."""

    values: list[float] | None = None


class Counted(Struct, frozen=True, rename="camel"):
    """Token counts, where the server gives any."""

    prompt_token_count: Number = None


class Reply(Struct, frozen=True, rename="camel"):
    """The answer."""

    embeddings: list[Vector] | None = None
    usage_metadata: Counted | None = None


def encode_embeddings(request: EmbeddingRequest, aim: Aim) -> HttpRequest:
    """Return the request; options of the provider go into each of its parts."""
    report = Report(request.on_unsupported)
    options: dict[str, Any] = {"model": model_name(aim.model)}
    options |= {"taskType": TASKS[request.purpose]} if request.purpose is not None else {}
    options |= {"outputDimensionality": request.dimensions} if request.dimensions is not None else {}
    options = completed(options, request.provider_options, aim)
    requests = [options | {"content": {"parts": [{"text": text}]}} for text in request.input]
    body = msgspec.json.encode({"requests": requests})
    return HttpRequest(path(aim.model, "batchEmbedContents"), body, report.warnings)


def decode_embeddings(body: bytes) -> Vectors:
    """Return the vectors, which come in the order of the texts."""
    reply = lenient.read(body, Reply)
    vectors = [vector.values or [] for vector in reply.embeddings or ()]
    if not vectors or not all(vectors):
        raise SidecarError("malformed_response", "The provider's answer holds no vectors.")
    wire = reply.usage_metadata or Counted()
    counted = checked(Counts(input=wire.prompt_token_count)).input_tokens
    return Vectors(vectors, None if counted is None else Usage(input_tokens=counted, output_tokens=0))

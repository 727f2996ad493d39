"""Vectors of texts. https://docs.ollama.com/api/embed"""

from typing import Any, Final

import msgspec

from sidecar.dialects import lenient
from sidecar.dialects.contract import Aim, HttpRequest, Vectors
from sidecar.dialects.counts import whole
from sidecar.dialects.ollama_chat import wire
from sidecar.dialects.options import completed, merged
from sidecar.dialects.report import Report
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Usage

PATH: Final = "/api/embed"


def encode_embeddings(request: EmbeddingRequest, aim: Aim) -> HttpRequest:
    """Return the request for vectors."""
    report = Report(request.on_unsupported)
    if request.purpose is not None:
        report.unsupported("purpose", "The provider takes no purpose of a vector")
    body: dict[str, Any] = {"model": aim.model, "input": request.input}
    body |= {"dimensions": request.dimensions} if request.dimensions is not None else {}
    body = completed(merged(body, aim.additions), request.provider_options, aim)
    return HttpRequest(PATH, msgspec.json.encode(body), report.warnings)


def decode_embeddings(body: bytes) -> Vectors:
    """Return the vectors in the order of the texts."""
    reply = lenient.read(body, wire.Vectors)
    if not reply.embeddings or not all(reply.embeddings):
        raise SidecarError("malformed_response", "The provider's answer holds no vectors.")
    counted = whole(reply.prompt_eval_count)
    return Vectors(reply.embeddings, None if counted is None else Usage(input_tokens=counted, output_tokens=0))

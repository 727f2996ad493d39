"""Vectors of texts. https://platform.openai.com/docs/api-reference/embeddings"""

import binascii
from array import array
from sys import byteorder
from typing import Any, Final

import msgspec
from msgspec import Struct

from sidecar.dialects import lenient
from sidecar.dialects.contract import Aim, HttpRequest, Vectors
from sidecar.dialects.counts import Counts, Number, checked
from sidecar.dialects.options import completed
from sidecar.dialects.report import Report
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Usage

PATH: Final = "/embeddings"


class Item(Struct, frozen=True):
    """One vector: numbers, or base64 of little-endian 32-bit floats."""

    index: int | None = None
    embedding: list[float] | str | None = None


class WireUsage(Struct, frozen=True):
    """Token counts."""

    prompt_tokens: Number = None


class Reply(Struct, frozen=True):
    """The answer."""

    data: list[Item] | None = None
    usage: WireUsage | None = None


def encode_embeddings(request: EmbeddingRequest, aim: Aim) -> HttpRequest:
    """Return the request; vectors are asked for in base64, which is a third of the size."""
    report = Report(request.on_unsupported)
    if request.purpose is not None:
        report.unsupported("purpose", "The provider takes no purpose of a vector")
    body: dict[str, Any] = {"model": aim.model, "input": request.input}
    body |= {"encoding_format": "base64"} if aim.quirks.base64_vectors else {}
    body |= {"dimensions": request.dimensions} if request.dimensions is not None else {}
    body = completed(body, request.provider_options, aim)
    return HttpRequest(PATH, msgspec.json.encode(body), report.warnings)


def decode_embeddings(body: bytes) -> Vectors:
    """Return the vectors in the order of the texts."""
    reply = lenient.read(body, Reply)
    items = list(reply.data or [])
    items.sort(key=lambda item: item.index or 0)
    vectors = [_numbers(item.embedding) for item in items]
    if not vectors or not all(vectors):
        raise SidecarError("malformed_response", "The provider's answer holds no vectors.")
    counted = checked(Counts(input=reply.usage.prompt_tokens)).input_tokens if reply.usage else None
    return Vectors(vectors, None if counted is None else Usage(input_tokens=counted, output_tokens=0))


def _numbers(embedding: list[float] | str | None) -> list[float]:
    if not isinstance(embedding, str):
        return embedding or []
    try:
        numbers = array("f", binascii.a2b_base64(embedding))
    except ValueError as error:
        raise SidecarError("malformed_response", "A vector is not valid base64.") from error
    if byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()

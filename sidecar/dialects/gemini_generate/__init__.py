"""generateContent, streamed. https://ai.google.dev/api/generate-content"""

from typing import Final

from msgspec import Struct

from sidecar.dialects import errors, lenient
from sidecar.dialects.contract import (
    Aim,
    Answer,
    Dialect,
    HttpRequest,
    HttpResponse,
    ModelPage,
    StreamDecoder,
    Vectors,
)
from sidecar.dialects.counts import Number, whole
from sidecar.dialects.gemini_generate import decode, embeddings, encode, models, repairs
from sidecar.framing.sse import Framer
from sidecar.schema.chat import ChatRequest
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError


class Count(Struct, frozen=True, rename="camel"):
    """How many tokens a question has."""

    total_tokens: Number = None


class GenerateContent:
    """The dialect of generateContent."""

    models_path = models.PATH
    absent_hint = "base_url ends with the version of the API, such as /v1beta."

    def framer(self) -> Framer:
        """Return what cuts a stream."""
        return Framer()

    def encode_request(self, request: ChatRequest, aim: Aim) -> HttpRequest:
        """Return the request for a streamed answer."""
        return encode.encode_request(request, aim)

    def decode_stream(self, aim: Aim) -> StreamDecoder:
        """Return a decoder for one answer."""
        return decode.Decoder(aim)

    def decode_answer(self, body: bytes, aim: Aim) -> Answer:
        """Return the events of a whole answer."""
        return decode.decode_answer(body, aim)

    def decode_error(self, response: HttpResponse) -> SidecarError:
        """Return what a response with a bad status means."""
        return errors.decode_error(response)

    def repair(self, error: SidecarError, request: ChatRequest) -> str | None:
        """Return the field that the server does not take."""
        del request
        return repairs.repair(error)

    def decode_models(self, body: bytes, provider: str) -> ModelPage:
        """Return the models of a list."""
        return models.decode_models(body, provider)

    def encode_count(self, request: ChatRequest, aim: Aim) -> HttpRequest | None:
        """Return the request that counts tokens."""
        return encode.encode_count(request, aim)

    def decode_count(self, body: bytes) -> int:
        """Return the number of tokens."""
        counted = whole(lenient.read(body, Count).total_tokens)
        if counted is None:
            raise SidecarError("malformed_response", "The provider's answer holds no count.")
        return counted

    def encode_embeddings(self, request: EmbeddingRequest, aim: Aim) -> HttpRequest:
        """Return the request for vectors."""
        return embeddings.encode_embeddings(request, aim)

    def decode_embeddings(self, body: bytes) -> Vectors:
        """Return the vectors."""
        return embeddings.decode_embeddings(body)


DIALECT: Final[Dialect] = GenerateContent()

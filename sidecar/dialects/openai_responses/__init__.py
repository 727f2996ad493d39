"""Responses, the form that new models ask for. https://platform.openai.com/docs/api-reference/responses"""

from typing import Final

from sidecar.dialects import errors
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
from sidecar.dialects.openai_responses import count, decode, encode, repair
from sidecar.framing.sse import Framer
from sidecar.schema.chat import ChatRequest
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError


class OpenAIResponses:
    """The dialect of Responses."""

    models_path = "/models"
    absent_hint = 'Set `api` to "chat" if the server speaks Chat Completions only.'

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
        """Return what the server does not take."""
        return repair.repair(error, request)

    def decode_models(self, body: bytes, provider: str) -> ModelPage:
        """Return the models of a list."""
        from sidecar.dialects.openai_chat import models

        return ModelPage(models.decode_models(body, provider))

    def encode_count(self, request: ChatRequest, aim: Aim) -> HttpRequest | None:
        """Return the request that counts the tokens of a question."""
        return count.encode_count(request, aim)

    def decode_count(self, body: bytes) -> int:
        """Return the number of tokens."""
        return count.decode_count(body)

    def encode_embeddings(self, request: EmbeddingRequest, aim: Aim) -> HttpRequest:
        """Return the request for vectors."""
        from sidecar.dialects.openai_chat import embeddings

        return embeddings.encode_embeddings(request, aim)

    def decode_embeddings(self, body: bytes) -> Vectors:
        """Return the vectors."""
        from sidecar.dialects.openai_chat import embeddings

        return embeddings.decode_embeddings(body)


DIALECT: Final[Dialect] = OpenAIResponses()

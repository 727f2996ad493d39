"""A server's own form of chats, which says how much context a model is loaded with. https://docs.ollama.com/api/chat"""

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
from sidecar.dialects.ollama_chat import decode, embeddings, encode
from sidecar.dialects.openai_chat.models import decode_models
from sidecar.framing.ndjson import Framer
from sidecar.schema.chat import ChatRequest
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError


class OllamaChat:
    """The dialect of `/api/chat`, one JSON value a line."""

    models_path = "/api/tags"
    absent_hint = (
        "If the server only speaks Chat Completions, leave out the context size and how long to keep the model."
    )

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
        """Return the field that the model does not take."""
        return encode.repair(error, request)

    def decode_models(self, body: bytes, provider: str) -> ModelPage:
        """Return the models of a list."""
        return ModelPage(decode_models(body, provider))

    def encode_count(self, request: ChatRequest, aim: Aim) -> HttpRequest | None:
        """Return nothing: the server counts no tokens in advance."""
        del request, aim
        return None

    def decode_count(self, body: bytes) -> int:
        """Refuse, as nothing is asked."""
        del body
        raise SidecarError("unsupported_feature", "The provider counts no tokens in advance.")

    def encode_embeddings(self, request: EmbeddingRequest, aim: Aim) -> HttpRequest:
        """Return the request for vectors."""
        return embeddings.encode_embeddings(request, aim)

    def decode_embeddings(self, body: bytes) -> Vectors:
        """Return the vectors."""
        return embeddings.decode_embeddings(body)


DIALECT: Final[Dialect] = OllamaChat()

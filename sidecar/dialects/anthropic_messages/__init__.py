"""Messages, the form of Claude and of servers like it. https://platform.claude.com/docs/en/api/messages"""

from typing import Final

from msgspec import Struct

from sidecar.dialects import errors, lenient
from sidecar.dialects.anthropic_messages import decode, encode, models, repairs
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
from sidecar.dialects.report import refuse
from sidecar.framing.sse import Framer
from sidecar.schema.chat import ChatRequest
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError


class Count(Struct, frozen=True):
    """The answer to a request for a count."""

    input_tokens: int | None = None


class AnthropicMessages:
    """The dialect of Messages."""

    models_path = models.PATH
    absent_hint = None

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
        """Return the field that the model does not take, or `opaque` where it does not take its own thoughts back."""
        del request
        return repairs.repair(error)

    def decode_models(self, body: bytes, provider: str) -> ModelPage:
        """Return the models of one page of a list."""
        return models.decode_models(body, provider)

    def encode_count(self, request: ChatRequest, aim: Aim) -> HttpRequest | None:
        """Return the request for a count of the tokens of a question."""
        return encode.encode_count(request, aim)

    def decode_count(self, body: bytes) -> int:
        """Return the count."""
        count = lenient.read(body.strip(), Count).input_tokens
        if count is None or count < 0:
            raise SidecarError("malformed_response", "The provider's answer holds no count.")
        return count

    def encode_embeddings(self, request: EmbeddingRequest, aim: Aim) -> HttpRequest:
        """Refuse: there are no vectors."""
        del request, aim
        raise refuse("The provider offers no embeddings; ask another one for vectors.")

    def decode_embeddings(self, body: bytes) -> Vectors:
        """Refuse, as nothing is asked."""
        del body
        raise SidecarError("malformed_response", "Nobody asked for vectors.")


DIALECT: Final[Dialect] = AnthropicMessages()

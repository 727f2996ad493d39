"""Chat Completions, the form that most servers speak. https://platform.openai.com/docs/api-reference/chat"""

from typing import Final

from sidecar.dialects.contract import Aim, Answer, ChatDialect, HttpRequest, HttpResponse, StreamDecoder
from sidecar.dialects.openai_chat import decode, encode, errors, models
from sidecar.schema.chat import ChatRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import ModelInfo


class OpenAIChat:
    """The dialect of Chat Completions."""

    models_path = "/models"

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

    def decode_models(self, body: bytes, provider: str) -> list[ModelInfo]:
        """Return the models of a list."""
        return models.decode_models(body, provider)


DIALECT: Final[ChatDialect] = OpenAIChat()

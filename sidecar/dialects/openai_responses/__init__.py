"""Responses, the form that new models ask for. https://platform.openai.com/docs/api-reference/responses"""

from typing import Final

from sidecar.dialects import errors
from sidecar.dialects.contract import Aim, Dialect, HttpRequest, ModelPage, Vectors
from sidecar.dialects.openai_responses import count, decode, encode, repair
from sidecar.framing.sse import Framer
from sidecar.schema.embeddings import EmbeddingRequest

# Lists and vectors are those of Chat Completions, which is not loaded for answers.


def _decode_models(body: bytes, provider: str) -> ModelPage:
    from sidecar.dialects.openai_chat import models

    return models.decode_models(body, provider)


def _encode_embeddings(request: EmbeddingRequest, aim: Aim) -> HttpRequest:
    from sidecar.dialects.openai_chat import embeddings

    return embeddings.encode_embeddings(request, aim)


def _decode_embeddings(body: bytes) -> Vectors:
    from sidecar.dialects.openai_chat import embeddings

    return embeddings.decode_embeddings(body)


DIALECT: Final = Dialect(
    models_path="/models",
    framer=Framer,
    encode_request=encode.encode_request,
    decode_stream=decode.Decoder,
    decode_answer=decode.decode_answer,
    decode_error=errors.decode_error,
    repair=repair.repair,
    decode_models=_decode_models,
    encode_count=count.encode_count,
    decode_count=count.decode_count,
    encode_embeddings=_encode_embeddings,
    decode_embeddings=_decode_embeddings,
    absent_hint='Set `api` to "chat" if the server speaks Chat Completions only.',
)

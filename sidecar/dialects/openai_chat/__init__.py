"""Chat Completions, the form that most servers speak. https://platform.openai.com/docs/api-reference/chat"""

from typing import Final

from sidecar.dialects import errors
from sidecar.dialects.contract import Dialect
from sidecar.dialects.openai_chat import decode, embeddings, encode, models
from sidecar.framing.sse import Framer

DIALECT: Final = Dialect(
    models_path="/models",
    framer=Framer,
    encode_request=encode.encode_request,
    decode_stream=decode.Decoder,
    decode_answer=decode.decode_answer,
    decode_error=errors.decode_error,
    repair=encode.repair,
    decode_models=models.decode_models,
    encode_count=encode.encode_count,
    decode_count=encode.decode_count,
    encode_embeddings=embeddings.encode_embeddings,
    decode_embeddings=embeddings.decode_embeddings,
)

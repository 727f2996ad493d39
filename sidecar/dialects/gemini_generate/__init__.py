"""generateContent, streamed. https://ai.google.dev/api/generate-content"""

from typing import Final

from sidecar.dialects import errors
from sidecar.dialects.contract import Dialect
from sidecar.dialects.gemini_generate import count, decode, embeddings, encode, models, repairs
from sidecar.framing.sse import Framer

DIALECT: Final = Dialect(
    models_path=models.PATH,
    framer=Framer,
    encode_request=encode.encode_request,
    decode_stream=decode.Decoder,
    decode_answer=decode.decode_answer,
    decode_error=errors.decode_error,
    repair=repairs.repair,
    decode_models=models.decode_models,
    encode_count=encode.encode_count,
    decode_count=count.decode_count,
    encode_embeddings=embeddings.encode_embeddings,
    decode_embeddings=embeddings.decode_embeddings,
    model_prefix=models.PREFIX,
    absent_hint="base_url ends with the version of the API, such as /v1beta.",
)

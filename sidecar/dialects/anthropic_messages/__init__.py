"""Messages, the form of Claude and of servers like it. https://platform.claude.com/docs/en/api/messages"""

from typing import Final

from sidecar.dialects import errors
from sidecar.dialects.anthropic_messages import count, decode, encode, models, repairs
from sidecar.dialects.contract import Dialect
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
    encode_embeddings=count.encode_embeddings,
    decode_embeddings=count.decode_embeddings,
)

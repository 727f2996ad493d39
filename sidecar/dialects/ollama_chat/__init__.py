"""A server's own form of chats, which says how much context a model is loaded with. https://docs.ollama.com/api/chat"""

from typing import Final

from sidecar.dialects import errors
from sidecar.dialects.contract import Dialect
from sidecar.dialects.ollama_chat import decode, embeddings, encode
from sidecar.dialects.openai_chat.models import decode_models
from sidecar.framing.ndjson import Framer

DIALECT: Final = Dialect(
    models_path="/api/tags",
    framer=Framer,
    encode_request=encode.encode_request,
    decode_stream=decode.Decoder,
    decode_answer=decode.decode_answer,
    decode_error=errors.decode_error,
    repair=encode.repair,
    decode_models=decode_models,
    encode_embeddings=embeddings.encode_embeddings,
    decode_embeddings=embeddings.decode_embeddings,
    absent_hint="If the server speaks Chat Completions only, leave out the context size and keep_alive.",
)

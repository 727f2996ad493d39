"""Numbers: counts of tokens are given, vectors are not. https://platform.claude.com/docs/en/api/messages-count-tokens"""

from msgspec import Struct

from sidecar.dialects import lenient
from sidecar.dialects.contract import Aim, HttpRequest, Vectors
from sidecar.dialects.report import refuse
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError


class Count(Struct, frozen=True):
    """The answer to a request for a count."""

    input_tokens: int | None = None


def decode_count(body: bytes) -> int:
    """Return the count."""
    count = lenient.read(body.strip(), Count).input_tokens
    if count is None or count < 0:
        raise SidecarError("malformed_response", "The provider's answer holds no count.")
    return count


def encode_embeddings(request: EmbeddingRequest, aim: Aim) -> HttpRequest:
    """Refuse: there are no vectors."""
    del request, aim
    raise refuse("The provider offers no embeddings; ask another one for vectors.")


def decode_embeddings(body: bytes) -> Vectors:
    """Refuse, as nothing is asked."""
    del body
    raise SidecarError("malformed_response", "Nobody asked for vectors.")

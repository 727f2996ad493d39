"""Vectors of texts."""

import base64
import json
import struct
from typing import Any

import pytest
from chat_dialect import aim

from sidecar.dialects.contract import HttpRequest, Vectors
from sidecar.dialects.openai_chat import DIALECT
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Usage


def test_vectors_are_asked_for_in_the_shortest_form_that_the_server_has() -> None:
    request = EmbeddingRequest(input=["a", "b"], dimensions=2, provider_options={"kind": {"user": "u"}})
    assert DIALECT.encode_embeddings(request, aim()) == HttpRequest(
        "/embeddings", b'{"model":"m-1","input":["a","b"],"dimensions":2,"user":"u"}'
    )
    assert json.loads(DIALECT.encode_embeddings(request, aim(base64_vectors=True)).body)["encoding_format"] == "base64"


def test_a_purpose_is_reported_as_it_cannot_be_told() -> None:
    encoded = DIALECT.encode_embeddings(EmbeddingRequest(input=["a"], purpose="query"), aim())
    assert [warning.param for warning in encoded.warnings] == ["purpose"]
    with pytest.raises(SidecarError) as caught:
        DIALECT.encode_embeddings(EmbeddingRequest(input=["a"], purpose="query", on_unsupported="error"), aim())
    assert caught.value.type == "unsupported_parameter"


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


@pytest.mark.parametrize(
    ("data", "vectors"),
    [
        ([{"index": 0, "embedding": [0.5, 1]}], [[0.5, 1.0]]),
        ([{"embedding": [1]}, {"embedding": [2]}], [[1.0], [2.0]]),
        ([{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}], [[1.0], [2.0]]),
        ([{"index": 0, "embedding": packed(0.5, -2.0)}], [[0.5, -2.0]]),
    ],
)
def test_vectors_come_in_the_order_of_their_texts(data: Any, vectors: list[list[float]]) -> None:
    body = json.dumps({"object": "list", "data": data, "usage": {"prompt_tokens": 4, "total_tokens": 4}}).encode()
    assert DIALECT.decode_embeddings(body) == Vectors(vectors, Usage(input_tokens=4, output_tokens=0))
    assert DIALECT.decode_embeddings(json.dumps({"data": data}).encode()) == Vectors(vectors)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b'{"data":[]}',
        b'{"data":[{"embedding":[]}]}',
        b'{"data":[{"embedding":null}]}',
        b'{"data":[{"embedding":"AAA"}]}',
        b'{"data":[{"embedding":"AAAAAAA="}]}',
        b'{"data":[{"embedding":"?"}]}',
    ],
)
def test_what_holds_no_vectors_is_an_error(body: bytes) -> None:
    with pytest.raises(SidecarError) as caught:
        DIALECT.decode_embeddings(body)
    assert caught.value.type in ("malformed_response", "stream_interrupted")

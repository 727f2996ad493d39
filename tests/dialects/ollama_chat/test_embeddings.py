"""Vectors in the server's own form."""

import json

import pytest
from chat_dialect import ORIGIN

from sidecar.dialects.contract import Aim, Vectors
from sidecar.dialects.ollama_chat import DIALECT
from sidecar.dialects.quirks import ChatQuirks
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Usage

ADDITIONS = {"keep_alive": 5, "options": {"num_ctx": 2048}}
AIM = Aim(provider="here", kind="kind", model="m", origin=ORIGIN, quirks=ChatQuirks(), additions=ADDITIONS)


def test_vectors_are_asked_for_as_the_model_is_to_be_loaded() -> None:
    request = EmbeddingRequest(
        input=["a"], dimensions=3, purpose="query", provider_options={"here": {"truncate": False}}
    )
    encoded = DIALECT.encode_embeddings(request, AIM)
    assert (encoded.path, json.loads(encoded.body)) == (
        "/api/embed",
        {"model": "m", "input": ["a"], "dimensions": 3, **ADDITIONS, "truncate": False},
    )
    assert [warning.param for warning in encoded.warnings] == ["purpose"]


def test_vectors_are_read() -> None:
    body = b'{"model":"m","embeddings":[[0.5,1],[2,3]],"prompt_eval_count":8}'
    assert DIALECT.decode_embeddings(body) == Vectors([[0.5, 1.0], [2.0, 3.0]], Usage(input_tokens=8, output_tokens=0))
    assert DIALECT.decode_embeddings(b'{"embeddings":[[1]]}') == Vectors([[1.0]])
    for broken in (b"{}", b'{"embeddings":[]}', b'{"embeddings":[[]]}', b"<html>"):
        with pytest.raises(SidecarError) as caught:
            DIALECT.decode_embeddings(broken)
        assert caught.value.type in ("malformed_response", "stream_interrupted")

"""Lists of models, and vectors."""

from typing import Any

import msgspec
import pytest
from generate_dialect import aim

from sidecar.dialects.contract import ModelPage, Vectors
from sidecar.dialects.gemini_generate import DIALECT
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import ModelInfo
from sidecar.schema.usage import Usage


def test_models_are_listed_page_by_page() -> None:
    assert DIALECT.models_path == "/models?pageSize=1000"
    page = {
        "models": [
            {
                "name": "models/m-1",
                "displayName": "Model One",
                "inputTokenLimit": 1048576,
                "outputTokenLimit": 65536,
                "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent"],
            },
            {"name": "models/e-1", "inputTokenLimit": 2048.0, "supportedGenerationMethods": ["embedContent"]},
            {"displayName": "nameless"},
            {"name": "tunedModels/mine", "outputTokenLimit": "many"},
        ],
        "nextPageToken": "a/b=",
    }
    assert DIALECT.decode_models(msgspec.json.encode(page), "here") == ModelPage(
        [
            ModelInfo(id="m-1", provider="here", name="Model One", context_length=1_048_576, max_output_tokens=65_536),
            ModelInfo(id="e-1", provider="here", context_length=2048, capabilities=["embeddings"]),
            ModelInfo(id="tunedModels/mine", provider="here"),
        ],
        "/models?pageSize=1000&pageToken=a%2Fb%3D",
    )


def test_an_empty_list_is_a_list() -> None:
    assert DIALECT.decode_models(b"{}\n", "here") == ModelPage([])


@pytest.mark.parametrize("body", [b'{"data":[{}]}', b"[]", b"<html>", b'{"models":3}'])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(SidecarError):
        DIALECT.decode_models(body, "here")


def test_vectors_are_asked_for_text_by_text() -> None:
    request = EmbeddingRequest(
        input=["a", "b"], dimensions=256, purpose="query", provider_options={"kind": {"autoTruncate": True}}
    )
    encoded = DIALECT.encode_embeddings(request, aim(model="e-1"))
    common: dict[str, Any] = {
        "model": "models/e-1",
        "taskType": "RETRIEVAL_QUERY",
        "outputDimensionality": 256,
        "autoTruncate": True,
    }
    assert (encoded.path, encoded.warnings) == ("/models/e-1:batchEmbedContents", ())
    assert msgspec.json.decode(encoded.body) == {
        "requests": [common | {"content": {"parts": [{"text": text}]}} for text in ("a", "b")]
    }


@pytest.mark.parametrize(
    ("purpose", "task"),
    [
        ("document", "RETRIEVAL_DOCUMENT"),
        ("similarity", "SEMANTIC_SIMILARITY"),
        ("classification", "CLASSIFICATION"),
        ("clustering", "CLUSTERING"),
    ],
)
def test_a_purpose_is_a_task(purpose: Any, task: str) -> None:
    encoded = DIALECT.encode_embeddings(EmbeddingRequest(input=["a"], purpose=purpose), aim())
    assert msgspec.json.decode(encoded.body)["requests"][0]["taskType"] == task


def test_vectors_come_in_the_order_of_the_texts() -> None:
    body = b'{"embeddings":[{"values":[0.5,1]},{"values":[2,3]}],"usageMetadata":{"promptTokenCount":4}}'
    assert DIALECT.decode_embeddings(body) == Vectors([[0.5, 1], [2, 3]], Usage(input_tokens=4, output_tokens=0))
    assert DIALECT.decode_embeddings(b'{"embeddings":[{"values":[0.5]}]}') == Vectors([[0.5]])


@pytest.mark.parametrize("body", [b"{}", b'{"embeddings":[]}', b'{"embeddings":[{"values":[1]},{}]}', b"x"])
def test_what_holds_no_vectors_is_refused(body: bytes) -> None:
    with pytest.raises(SidecarError):
        DIALECT.decode_embeddings(body)

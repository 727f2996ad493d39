"""Files as blocks of content."""

import base64
import json
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace
from recorded import AIM

from sidecar.dialects.anthropic_messages import DIALECT
from sidecar.dialects.traits import UNKNOWN, ModelTraits
from sidecar.providers.anthropic_models import traits_of
from sidecar.schema.chat import Base64Source, ChatRequest, File, Message, PathSource, Text, UrlSource
from sidecar.schema.errors import SidecarError

Json = dict[str, Any]


def content_of(*parts: Any) -> list[Json]:
    body = json.loads(DIALECT.encode_request(ChatRequest(messages=[Message("user", list(parts))]), AIM).body)
    content: list[Json] = body["messages"][0]["content"]
    return content


def refusal_of(*parts: Any, traits: ModelTraits = UNKNOWN) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        DIALECT.encode_request(ChatRequest(messages=[Message("user", list(parts))]), replace(AIM, traits=traits))
    return caught.value


def data(text: bytes) -> Base64Source:
    return Base64Source(Raw(b'"' + base64.b64encode(text) + b'"'))


def test_images_documents_and_texts_are_blocks() -> None:
    assert content_of(
        Text("What is this?"),
        File("image/png", data(b"png")),
        File("image/JPG; q=1", data(b"jpg")),
        File("image/webp", UrlSource("https://llm.test/a.webp")),
        File("application/pdf", data(b"pdf"), "a.pdf"),
        File("application/pdf", UrlSource("https://llm.test/a.pdf")),
        File("text/csv", data("a,é".encode()), "a.csv"),
    ) == [
        {"type": "text", "text": "What is this?"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "cG5n"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "anBn"}},
        {"type": "image", "source": {"type": "url", "url": "https://llm.test/a.webp"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "cGRm"},
            "title": "a.pdf",
        },
        {"type": "document", "source": {"type": "url", "url": "https://llm.test/a.pdf"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a,é"}, "title": "a.csv"},
    ]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (File("audio/wav", data(b"")), "Files of type audio/wav cannot be sent to this provider."),
        (File("video/mp4", data(b"")), "Files of type video/mp4 cannot be sent to this provider."),
        (File("image/tiff", data(b"")), "Images of type image/tiff cannot be sent to this provider."),
        (File("application/zip", data(b"")), "Files of type application/zip cannot be sent to this provider."),
        (File("image/png", PathSource("a")), "Files of type image/png must be sent to this provider as data."),
        (File("text/csv", UrlSource("https://a")), "Files of type text/csv must be sent to this provider as data."),
    ],
)
def test_other_files_are_refused(file: File, message: str) -> None:
    error = refusal_of(file)
    assert (error.type, error.message) == ("unsupported_feature", message)


def test_a_text_file_is_text() -> None:
    assert refusal_of(File("text/plain", data(b"\xff"))).type == "invalid_params"


def test_a_model_that_reads_no_such_file_is_not_sent_one() -> None:
    error = refusal_of(File("audio/wav", data(b"")), traits=traits_of("claude-haiku-4-5"))
    assert (error.type, error.message) == ("unsupported_feature", "The model reads no files of type audio/wav.")

"""Files in the forms that servers take."""

import json
from typing import Any

import pytest
from chat_dialect import ORIGIN, aim
from msgspec import Raw

from sidecar.dialects.openai_chat import DIALECT
from sidecar.dialects.traits import ModelTraits
from sidecar.schema.chat import Base64Source, ChatRequest, File, Message, Opaque, Text, UrlSource
from sidecar.schema.errors import SidecarError

DATA = Base64Source(Raw(b'"AAAA"'))
ADDRESS = UrlSource("https://a.test/x")


def part_of(file: File, traits: ModelTraits | None = None, **quirks: Any) -> Any:
    request = ChatRequest(messages=[Message("user", [Text("Look"), file])])
    encoded = DIALECT.encode_request(request, aim(traits or ModelTraits(), **quirks))
    return json.loads(encoded.body)["messages"][0]["content"][1]


@pytest.mark.parametrize(
    ("file", "quirks", "part"),
    [
        (
            File("application/pdf", ADDRESS, "a.pdf"),
            {"document_urls": True},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "https://a.test/x"}},
        ),
        (
            File("application/pdf", ADDRESS, "a.pdf"),
            {"documents": "document_url", "document_urls": True},
            {"type": "document_url", "document_url": "https://a.test/x", "document_name": "a.pdf"},
        ),
        (
            File("application/pdf", DATA),
            {"documents": "document_url"},
            {"type": "document_url", "document_url": "data:application/pdf;base64,AAAA"},
        ),
        (File("audio/ogg", DATA), {"audio": "string"}, {"type": "input_audio", "input_audio": "AAAA"}),
        (
            File("audio/x-flac", DATA),
            {"audio_formats": frozenset({"flac"})},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "flac"}},
        ),
        (
            File("video/mp4", DATA),
            {"videos": True},
            {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}},
        ),
        (
            File("video/mp4", ADDRESS),
            {"videos": True},
            {"type": "video_url", "video_url": {"url": "https://a.test/x"}},
        ),
    ],
)
def test_files_take_the_form_that_the_server_reads(file: File, quirks: Any, part: Any) -> None:
    assert part_of(file, **quirks) == part


@pytest.mark.parametrize("media_type", ["application/pdf", "audio/wav", "video/mp4", "application/zip"])
def test_what_the_model_does_not_read_is_refused(media_type: str) -> None:
    with pytest.raises(SidecarError) as caught:
        part_of(File(media_type, DATA), ModelTraits(files=frozenset({"image"})), videos=True)
    assert caught.value.type == "unsupported_feature"
    assert part_of(File("image/png", DATA), ModelTraits(files=frozenset({"image"})))["type"] == "image_url"


def test_a_recording_of_the_model_goes_back_by_its_name() -> None:
    spoken = File("audio/wav", DATA, opaque=Opaque('{"id":"audio_1"}', ORIGIN))
    request = ChatRequest(messages=[Message("assistant", [Text("Hello"), spoken])])
    (message,) = json.loads(DIALECT.encode_request(request, aim()).body)["messages"]
    assert message == {"role": "assistant", "content": "Hello", "audio": {"id": "audio_1"}}


def test_a_picture_of_the_model_goes_back_as_a_picture() -> None:
    request = ChatRequest(messages=[Message("assistant", [File("image/png", DATA)])])
    (message,) = json.loads(DIALECT.encode_request(request, aim()).body)["messages"]
    assert message["content"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]

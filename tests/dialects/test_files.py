"""Files of a conversation."""

import base64

import pytest
from msgspec import Raw

from sidecar.dialects.files import base64_of, data_url, kind_of, readable, words_of
from sidecar.dialects.traits import FileKind, ModelTraits
from sidecar.schema.chat import Base64Source, File, UrlSource
from sidecar.schema.errors import SidecarError


def a_file(media_type: str, data: bytes = b"data", name: str | None = None) -> File:
    return File(media_type, Base64Source(Raw(b'"%b"' % base64.b64encode(data))), filename=name)


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("image/png", "image"),
        ("Image/PNG; x=1", "image"),
        ("application/pdf", "document"),
        ("audio/wav", "audio"),
        ("video/mp4", "video"),
        ("text/plain; charset=utf-8", "text"),
        ("application/json", "text"),
        ("application/zip", None),
        ("", None),
    ],
)
def test_the_kind_of_a_file_is_told_by_its_type(media_type: str, kind: FileKind | None) -> None:
    assert kind_of(a_file(media_type)) == kind


def test_a_file_that_the_model_does_not_read_is_refused() -> None:
    traits = ModelTraits(files=frozenset({"image"}))
    assert readable(a_file("image/png"), traits) == "image"
    assert readable(a_file("text/csv"), traits) == "text"
    assert readable(a_file("audio/wav"), ModelTraits()) == "audio"
    for media_type in ("audio/wav", "application/pdf", "application/zip"):
        with pytest.raises(SidecarError) as caught:
            readable(a_file(media_type), traits)
        assert caught.value.type == "unsupported_feature"


def test_data_of_files_is_passed_on_as_it_came() -> None:
    assert bytes(data_url(a_file("Image/PNG; x=1", b"png"))) == b'"data:image/png;base64,cG5n"'
    with pytest.raises(SidecarError) as caught:
        base64_of(File("image/png", UrlSource("https://llm.test/a.png")))
    assert caught.value.type == "unsupported_feature"


def test_text_files_are_read() -> None:
    assert words_of(a_file("text/plain", "é".encode())) == "é"
    assert words_of(a_file("text/plain", b"1,2", "a.csv")) == "a.csv\n\n1,2"


@pytest.mark.parametrize("data", [b'"a"', b'"/w=="', b'"\\ud800"', '"é"'.encode()])
def test_a_text_file_must_be_base64_and_utf_8(data: bytes) -> None:
    with pytest.raises(SidecarError) as caught:
        words_of(File("text/plain", Base64Source(Raw(data))))
    assert caught.value.type == "invalid_params"

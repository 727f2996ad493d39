"""Files as parts of a message: images, documents and recordings."""

import binascii
from typing import Any, Final

import msgspec
from msgspec import Raw

from sidecar.dialects.openai_chat.report import refuse
from sidecar.dialects.quirks import ChatQuirks
from sidecar.schema.chat import Base64Source, File, UrlSource
from sidecar.schema.errors import SidecarError

AUDIO_FORMATS: Final = {
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}

TEXT_TYPES: Final = frozenset(
    {"application/json", "application/xml", "application/yaml", "application/toml", "application/javascript"}
)
"""Types that are text although their names do not say so."""


def file_part(file: File, quirks: ChatQuirks) -> dict[str, Any]:
    """Return the part that carries `file`."""
    media_type = file.media_type.partition(";")[0].strip().lower()
    if media_type.startswith("image/"):
        return _image(file, quirks)
    data = _data(file)
    if media_type == "application/pdf":
        address = _data_address("application/pdf", data)
        return {"type": "file", "file": {"filename": file.filename or "document.pdf", "file_data": address}}
    if media_type in AUDIO_FORMATS:
        return {"type": "input_audio", "input_audio": {"data": data, "format": AUDIO_FORMATS[media_type]}}
    if media_type.startswith("text/") or media_type in TEXT_TYPES:
        return {"type": "text", "text": _text(file, data)}
    raise refuse(f"Files of type {media_type} cannot be sent to this provider.")


def _image(file: File, quirks: ChatQuirks) -> dict[str, Any]:
    url: Raw | str
    if not isinstance(file.source, UrlSource):
        url = _data_address(file.media_type, _data(file))
    elif quirks.image_urls:
        url = file.source.url
    else:
        raise refuse("The provider takes images as data only, not as addresses.")
    return {"type": "image_url", "image_url": {"url": url} | ({"detail": file.detail} if file.detail else {})}


def _data_address(media_type: str, data: Raw) -> Raw:
    """Return a `data:` URL, as JSON; the data is copied once and never looked at."""
    quoted = msgspec.json.encode(f"data:{media_type};base64,")
    return Raw(b"".join((quoted[:-1], memoryview(data)[1:])))


def _data(file: File) -> Raw:
    if isinstance(file.source, Base64Source):
        return file.source.data
    raise refuse(f"Files of type {file.media_type} must be sent to this provider as data.")


def _text(file: File, data: Raw) -> str:
    try:
        text = binascii.a2b_base64(msgspec.json.decode(data, type=str), strict_mode=True).decode()
    except ValueError as error:
        raise SidecarError("invalid_params", "A text file is not valid base64 and UTF-8.") from error
    return f"{file.filename}\n\n{text}" if file.filename else text

"""Files as parts of a message: images, documents, recordings and films."""

from typing import Any, Final

from msgspec import Raw

from sidecar.dialects.contract import Aim
from sidecar.dialects.files import base64_of, data_url, media_type, readable, words_of
from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.report import refuse
from sidecar.schema.chat import File, UrlSource

AUDIO_FORMATS: Final = {
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/aac": "aac",
    "audio/aiff": "aiff",
    "audio/x-aiff": "aiff",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/mp4": "m4a",
    "audio/x-m4a": "m4a",
    "audio/ogg": "ogg",
}

Part = dict[str, Any]


def file_part(file: File, aim: Aim) -> Part:
    """Return the part that carries `file`."""
    match readable(file, aim.traits):
        case "image":
            return _image(file, aim.quirks)
        case "document":
            return _document(file, aim.quirks)
        case "audio":
            return _audio(file, aim.quirks)
        case "video":
            return _video(file, aim.quirks)
        case "text":
            return {"type": "text", "text": words_of(file)}


def _image(file: File, quirks: ChatQuirks) -> Part:
    if isinstance(file.source, UrlSource) and not quirks.image_urls:
        raise refuse("The provider takes images as data only, not as addresses.")
    image: Part = {"url": _address(file)} | ({"detail": file.detail} if file.detail else {})
    return {"type": "image_url", "image_url": image}


def _document(file: File, quirks: ChatQuirks) -> Part:
    url = _address(file) if quirks.document_urls else data_url(file)
    if quirks.documents == "document_url":
        return {"type": "document_url", "document_url": url} | (
            {"document_name": file.filename} if file.filename else {}
        )
    return {"type": "file", "file": {"filename": file.filename or "document.pdf", "file_data": url}}


def _audio(file: File, quirks: ChatQuirks) -> Part:
    if quirks.audio == "string":
        return {"type": "input_audio", "input_audio": base64_of(file)}
    name = AUDIO_FORMATS.get(media_type(file))
    if name not in quirks.audio_formats:
        raise refuse(f"Files of type {media_type(file)} cannot be sent to this provider.")
    return {"type": "input_audio", "input_audio": {"data": base64_of(file), "format": name}}


def _video(file: File, quirks: ChatQuirks) -> Part:
    if not quirks.videos:
        raise refuse(f"Files of type {media_type(file)} cannot be sent to this provider.")
    return {"type": "video_url", "video_url": {"url": _address(file)}}


def _address(file: File) -> str | Raw:
    return file.source.url if isinstance(file.source, UrlSource) else data_url(file)

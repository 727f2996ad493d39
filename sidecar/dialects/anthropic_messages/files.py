"""Files as blocks of content: images, documents and text."""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from sidecar.dialects.files import base64_of, media_type, readable, words_of
from sidecar.dialects.report import refuse
from sidecar.dialects.traits import ModelTraits
from sidecar.schema.chat import File, UrlSource

IMAGES: Final = {name: name for name in ("image/jpeg", "image/png", "image/gif", "image/webp")} | {
    "image/jpg": "image/jpeg"
}
"""The images that are taken, and what they are called."""

Wire = dict[str, Any]


def file_block(file: File, traits: ModelTraits) -> Wire:
    """Return the block that carries `file`; raise `unsupported_feature` where there is none."""
    write = KINDS.get(readable(file, traits))
    if write is None:
        raise refuse(f"Files of type {media_type(file)} cannot be sent to this provider.")
    return write(file)


def _image(file: File) -> Wire:
    name = IMAGES.get(media_type(file))
    if name is None:
        raise refuse(f"Images of type {media_type(file)} cannot be sent to this provider.")
    return {
        "type": "image",
        "source": _address(file) or {"type": "base64", "media_type": name, "data": base64_of(file)},
    }


def _document(file: File) -> Wire:
    data = _address(file) or {"type": "base64", "media_type": "application/pdf", "data": base64_of(file)}
    return {"type": "document", "source": data} | _title(file)


def _text(file: File) -> Wire:
    words = words_of(replace(file, filename=None))
    return {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": words}} | _title(file)


def _address(file: File) -> Wire | None:
    return {"type": "url", "url": file.source.url} if isinstance(file.source, UrlSource) else None


def _title(file: File) -> Wire:
    return {"title": file.filename} if file.filename else {}


KINDS: Final[dict[str, Callable[[File], Wire]]] = {"image": _image, "document": _document, "text": _text}

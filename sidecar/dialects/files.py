"""Files of a conversation: what kind they are, and their data as providers want it."""

import binascii
from typing import Final

import msgspec
from msgspec import Raw

from sidecar.dialects.report import refuse
from sidecar.dialects.traits import FileKind, ModelTraits
from sidecar.schema.chat import Base64Source, File
from sidecar.schema.errors import SidecarError

TEXT_TYPES: Final = frozenset(
    {"application/json", "application/xml", "application/yaml", "application/toml", "application/javascript"}
)
"""Types that are text although their names do not say so."""

KINDS: Final[dict[str, FileKind]] = {"image": "image", "audio": "audio", "video": "video", "text": "text"}


def media_type(file: File) -> str:
    """Return the MIME type in lower case, without parameters."""
    return file.media_type.partition(";")[0].strip().lower()


def kind_of(file: File) -> FileKind | None:
    """Return what kind of file this is, if it is of one that models read."""
    name = media_type(file)
    if name == "application/pdf":
        return "document"
    return "text" if name in TEXT_TYPES else KINDS.get(name.partition("/")[0])


def readable(file: File, traits: ModelTraits) -> FileKind:
    """Return the kind of `file`; raise `unsupported_feature` where the model does not read it."""
    kind = kind_of(file)
    if kind is None:
        raise refuse(f"Files of type {media_type(file)} cannot be sent to this provider.")
    # Text is sent as words where there is no other way, so every model reads it.
    if traits.files is not None and kind not in traits.files and kind != "text":
        raise refuse(f"The model reads no files of type {media_type(file)}.")
    return kind


def data_url(file: File) -> Raw:
    """Return a `data:` URL, as JSON; the data is copied once and never looked at."""
    quoted = msgspec.json.encode(f"data:{media_type(file)};base64,")
    return Raw(b"".join((quoted[:-1], memoryview(base64_of(file))[1:])))


def base64_of(file: File) -> Raw:
    """Return the data as a JSON string; raise `unsupported_feature` for an address."""
    if isinstance(file.source, Base64Source):
        return file.source.data
    raise refuse(f"Files of type {media_type(file)} must be sent to this provider as data.")


def words_of(file: File) -> str:
    """Return what is written in a text file, after its name."""
    try:
        data = binascii.a2b_base64(msgspec.json.decode(base64_of(file), type=str), strict_mode=True)
        text = data.decode()
    except ValueError as error:
        raise SidecarError("invalid_params", "A text file is not valid base64 and UTF-8.") from error
    return f"{file.filename}\n\n{text}" if file.filename else text

"""What a model drew or said aloud, as files."""

import binascii
from typing import Final

import msgspec
from msgspec import Raw

from sidecar.dialects.openai_chat.wire import Address, Sound
from sidecar.schema.chat import Base64Source, File, Opaque, Origin, UrlSource

SIGNS: Final = (
    (b"RIFF", "audio/wav"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
)
"""How recordings begin."""

BARE_SAMPLES: Final = "audio/pcm"
ANY_IMAGE: Final = "image/*"


class Recording:
    """A recording that comes in pieces."""

    __slots__ = ("_data", "_id")

    def __init__(self) -> None:
        self._id: str | None = None
        self._data: list[bytes] = []

    def add(self, sound: Sound) -> None:
        """Take in a piece; what is no base64 is left out."""
        self._id = sound.id or self._id
        try:
            self._data.append(binascii.a2b_base64(sound.data or ""))
        except ValueError:
            return

    def file(self, origin: Origin) -> File:
        """Return the recording. Its name with the server goes back in its place."""
        data = b"".join(self._data)
        kind = next((kind for sign, kind in SIGNS if data.startswith(sign)), BARE_SAMPLES)
        source = Base64Source(Raw(b'"' + binascii.b2a_base64(data, newline=False) + b'"'))
        named = Opaque(msgspec.json.encode({"id": self._id}).decode(), origin) if self._id else None
        return File(kind, source, opaque=named)


def picture(address: Address | str | None) -> File | None:
    """Return what is at an address, which may hold the picture itself."""
    url = address.url if isinstance(address, Address) else address
    if not url:
        return None
    head, comma, data = url.partition(",")
    if not head.startswith("data:") or not comma:
        return File(ANY_IMAGE, UrlSource(url))
    kind = head.removeprefix("data:").partition(";")[0]
    return File(kind or ANY_IMAGE, Base64Source(Raw(msgspec.json.encode(data))))

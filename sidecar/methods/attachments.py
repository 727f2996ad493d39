"""Files named by path, read where the host allowed it."""

import base64
import os
import stat
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw

from sidecar.schema.chat import Base64Source, ChatRequest, File, Message, Part, PathSource
from sidecar.schema.errors import SidecarError

MAX_FILE_BYTES: Final = 48 << 20
"""Grows by a third in base64; providers take less."""


def names_files(request: ChatRequest) -> bool:
    """Tell whether a part of the request is to be read from a file."""
    contents = (message.content for message in request.messages if not isinstance(message.content, str))
    return any(_is_local(part) for content in contents for part in content)


def with_files(request: ChatRequest, allowed: tuple[Path, ...]) -> ChatRequest:
    """Return the request with every `path` source read into it; disks may be slow, so not on the loop.

    Raises `path_not_allowed` for a path outside `allowed`, and for what is not a regular file there.
    """
    messages = [_with_files(message, allowed) for message in request.messages]
    return msgspec.structs.replace(request, messages=messages)


def _is_local(part: Part) -> bool:
    return isinstance(part, File) and isinstance(part.source, PathSource)


def _with_files(message: Message, allowed: tuple[Path, ...]) -> Message:
    if isinstance(message.content, str):
        return message
    return msgspec.structs.replace(message, content=[_read_part(part, allowed) for part in message.content])


def _read_part(part: Part, allowed: tuple[Path, ...]) -> Part:
    if not isinstance(part, File) or not isinstance(part.source, PathSource):
        return part
    path = _permitted(Path(part.source.path), allowed)
    data = Raw(b'"' + base64.b64encode(_read(path)) + b'"')
    return msgspec.structs.replace(part, source=Base64Source(data), filename=part.filename or path.name)


def _permitted(path: Path, allowed: tuple[Path, ...]) -> Path:
    """Return the real path, links resolved, if it lies in an allowed folder."""
    try:
        real = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        real = None
    if real is None or not any(real.is_relative_to(root) for root in allowed):
        raise SidecarError(
            "path_not_allowed",
            "The file does not exist in a folder that may be read.",
            hint="Start the sidecar with --allow-path FOLDER, or send the file as base64.",
        )
    return real


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SidecarError("path_not_allowed", "Only regular files can be sent.")
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SidecarError("path_not_allowed", f"The file cannot be read: {error.strerror}.") from None
    if len(data) > MAX_FILE_BYTES:
        raise SidecarError("payload_too_large", f"A file may have {MAX_FILE_BYTES} bytes.")
    return data

"""Files named by path, read where the host allowed it."""

import asyncio
import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw

from sidecar.schema.chat import Base64Source, ChatRequest, File, Message, Part, PathSource
from sidecar.schema.errors import SidecarError

MAX_FILE_BYTES: Final = 48 << 20
"""What the files of a request may have together: in base64, as much as a line may."""

READ: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
PASS: Final = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


def names_files(request: ChatRequest) -> bool:
    """Tell whether a part of the request is to be read from a file."""
    contents = (message.content for message in request.messages if not isinstance(message.content, str))
    return any(_is_local(part) for content in contents for part in content)


async def attached(request: ChatRequest, allowed: tuple[Path, ...], admit: Callable[[int], None]) -> ChatRequest:
    """Return the request with every `path` source read into it; `admit` is told how many bytes came, and may refuse.

    Raises `path_not_allowed` for a path outside `allowed`, and for what is not a regular file there.
    """
    if not names_files(request):
        return request
    files = _Files(allowed)
    messages = await asyncio.to_thread(lambda: [files.put_into(message) for message in request.messages])
    admit(files.held)
    return msgspec.structs.replace(request, messages=messages)


def _is_local(part: Part) -> bool:
    return isinstance(part, File) and isinstance(part.source, PathSource)


class _Files:
    """Reads the files of one request; disks may be slow, so not on the loop. `held` counts bytes as base64."""

    def __init__(self, allowed: tuple[Path, ...]) -> None:
        self._allowed = allowed
        self._left = MAX_FILE_BYTES
        self.held = 0

    def put_into(self, message: Message) -> Message:
        """Return the message with its files in place of their paths."""
        if isinstance(message.content, str):
            return message
        return msgspec.structs.replace(message, content=[self._read_part(part) for part in message.content])

    def _read_part(self, part: Part) -> Part:
        if not isinstance(part, File) or not isinstance(part.source, PathSource):
            return part
        path, root = _permitted(Path(part.source.path), self._allowed)
        read = _read(path, root, self._left)
        self._left -= len(read)
        data = Raw(b'"' + base64.b64encode(read) + b'"')
        self.held += len(data)
        return msgspec.structs.replace(part, source=Base64Source(data), filename=part.filename or path.name)


def _permitted(path: Path, allowed: tuple[Path, ...]) -> tuple[Path, Path]:
    """Return the real path, links resolved, and the allowed folder that it lies in."""
    try:
        real = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        real = None
    root = next((root for root in allowed if real is not None and real.is_relative_to(root)), None)
    if real is None or root is None:
        raise SidecarError(
            "path_not_allowed",
            "The file does not exist in a folder that may be read.",
            hint="Start the sidecar with --allow-path FOLDER, or send the file as base64.",
        )
    return real, root


def _read(path: Path, root: Path, most: int) -> bytes:
    """Return what the file holds; all checks are made of the very file that is read."""
    try:
        with os.fdopen(_open(path, root), "rb") as file:
            _check(os.fstat(file.fileno()), most)
            data = file.read(most + 1)
    except OSError as error:
        raise SidecarError("path_not_allowed", f"The file cannot be read: {error.strerror}.") from None
    if len(data) > most:
        raise _too_large()
    return data


def _open(path: Path, root: Path) -> int:
    """Open a file below `root`, over no link: there was none on the way a moment ago."""
    if os.open not in os.supports_dir_fd:
        _check(path.stat(), MAX_FILE_BYTES)
        return os.open(path, READ)
    *folders, name = path.relative_to(root).parts or (".",)
    folder = os.open(root, PASS)
    try:
        for below in folders:
            above, folder = folder, os.open(below, PASS, dir_fd=folder)
            os.close(above)
        # Not even opened: devices may do something then.
        _check(os.stat(name, dir_fd=folder, follow_symlinks=False), MAX_FILE_BYTES)
        return os.open(name, READ, dir_fd=folder)
    finally:
        os.close(folder)


def _check(found: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SidecarError("path_not_allowed", "Only regular files can be sent.")
    if found.st_size > most:
        raise _too_large()


def _too_large() -> SidecarError:
    return SidecarError("payload_too_large", f"The files of a request may have {MAX_FILE_BYTES} bytes.")

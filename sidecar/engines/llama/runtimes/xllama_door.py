"""Where llama.cpp's server listens, which it always does: a socket without a name, or a port without a key."""

import contextlib
import os
import secrets
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any, Final

from sidecar.schema.errors import SidecarError

PREFIX: Final = "llm-sidecar-socket-"
SOCKET: Final = "s.sock"
LONGEST_PATH: Final = 100
"""What every system takes as the path of a socket."""

ASK_S: Final = 20.0
READ_BYTES: Final = 1 << 16
LOOPBACK: Final = "127.0.0.1"


class Door:
    """A place to listen that no other program can reach, and requests to whoever listens there.

    That is a socket in a folder of one's own, which `close` then removes where its owner can still reach it. A system
    without such sockets has a port on loopback instead; there the key keeps others out.
    """

    def __init__(self) -> None:
        self._key = secrets.token_hex(32)
        self._folder = _folder()
        self._address: Any = str(self._folder / SOCKET) if self._folder else None

    def fit(self, parameters: Any) -> None:
        """Have a server listen here, and let nobody in without the key."""
        parameters.hostnames = [self._address or LOOPBACK]
        parameters.api_keys = [self._key]
        parameters.cors_origins = parameters.cors_methods = parameters.cors_headers = ""
        parameters.cors_credentials = False
        parameters.ui = parameters.endpoint_slots = parameters.endpoint_props = False
        parameters.n_threads_http = 1

    def close(self, listening: str) -> None:
        """Close the way that a server has come in; `listening` is the address that it tells."""
        if self._folder is None:
            self._address = (LOOPBACK, int(listening.rpartition(":")[2]))
        elif hasattr(os, "O_PATH") and Path("/proc/self/fd").exists():
            held = os.open(self._address, os.O_PATH)
            self.remove()
            self._address = f"/proc/self/fd/{held}"

    def remove(self) -> None:
        """Leave no trace in the file system."""
        if self._folder is not None:
            shutil.rmtree(self._folder)

    def post(self, path: str, body: bytes) -> bytes:
        """Return what the server says to a request."""
        head = f"POST {path} HTTP/1.0\r\nAuthorization: Bearer {self._key}\r\nContent-Length: {len(body)}\r\n\r\n"
        try:
            with socket.socket(socket.AF_UNIX if self._folder else socket.AF_INET) as connection:
                connection.settimeout(ASK_S)
                connection.connect(self._address)
                connection.sendall(head.encode() + body)
                reply = b"".join(iter(lambda: connection.recv(READ_BYTES), b""))
        except OSError as error:
            raise SidecarError("server_error", "The local engine does not answer.", hint=str(error)) from None
        return reply.partition(b"\r\n\r\n")[2]


def _folder() -> Path | None:
    """Return a new folder that only this user may enter, and which is locked while this process lives."""
    if not hasattr(socket, "AF_UNIX"):
        return None
    try:
        _sweep()
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        _lock(folder)
    except OSError:
        return None
    if len(os.fsencode(folder / SOCKET)) <= LONGEST_PATH:
        return folder
    folder.rmdir()
    return None


def _sweep() -> None:
    """Remove the sockets of workers that were killed while they loaded."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{SOCKET}"):
        with contextlib.suppress(OSError):
            os.close(_lock(left.parent))
            shutil.rmtree(left.parent)


def _lock(folder: Path) -> int:
    """Return an open descriptor that holds the folder's lock; raises `OSError` when another process does."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor

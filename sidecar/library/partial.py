"""A file on its way: written under a name of its own, and given its true one when it is whole. All of it may block."""

import errno
import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from sidecar.engines.llama.gguf import MAGIC
from sidecar.library.lock import try_lock
from sidecar.schema.errors import SidecarError

SUFFIX: Final = ".part"
NOTE_SUFFIX: Final = ".part.json"
PIECE_BYTES: Final = 8 << 20
MAX_NOTE_BYTES: Final = 16 << 10
OPEN: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
OPEN_SAFELY: Final = OPEN | getattr(os, "O_NOFOLLOW", 0)
FULL: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


class Note(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the bytes of an unfinished file are of: as the server named that state of the file, and how long it is."""

    url: str
    etag: str | None = None
    digest: str | None = None
    total: int | None = None


def failure(error: OSError) -> SidecarError:
    """Say what the disk did not do."""
    if error.errno in FULL:
        return SidecarError("disk_full", "The disk, or the room that is allowed on it, is full.")
    return SidecarError("download_failed", f"The file cannot be written: {error.strerror}.", retryable=False)


def partial_path(goal: Path) -> Path:
    """Return where a file lies until it is whole."""
    return goal.with_name(goal.name + SUFFIX)


def note_path(goal: Path) -> Path:
    """Return where it is noted what the unfinished file is of."""
    return goal.with_name(goal.name + NOTE_SUFFIX)


class Partial:
    """The unfinished file of `goal`. `size` is how much of it there is, `digest` the SHA-256 of that."""

    def __init__(self, goal: Path) -> None:
        self.goal = goal
        self.path = partial_path(goal)
        self.size = 0
        self.note: Note | None = None
        self._note_path = note_path(goal)
        self._descriptor = -1
        self._hash = hashlib.sha256()

    def open(self) -> bool:
        """Open the file, with what an earlier attempt left in it; False while another process writes it."""
        while self._descriptor < 0:
            self._descriptor = os.open(self.path, OPEN_SAFELY, 0o644)
            if not try_lock(self._descriptor):
                self.close()
                return False
            if not self._is_current():
                self.close()  # it was given its true name by whoever had the lock
        self.size = os.fstat(self._descriptor).st_size
        self.note = self._read_note()
        if self.note is None:
            self.restart()
        return True

    def _is_current(self) -> bool:
        mine = os.fstat(self._descriptor)
        try:
            there = self.path.stat(follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)

    def _read_note(self) -> Note | None:
        try:
            with self._note_path.open("rb") as file:
                return msgspec.json.decode(file.read(MAX_NOTE_BYTES), type=Note)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def describe(self, note: Note) -> None:
        """Write down what the bytes are of, before they come."""
        if note != self.note:
            self.note = note
            draft = self._note_path.with_name(self._note_path.name + ".new")
            draft.write_bytes(msgspec.json.encode(note))
            draft.replace(self._note_path)

    def restart(self) -> None:
        """Begin with nothing."""
        os.ftruncate(self._descriptor, 0)
        self.size, self.note, self._hash = 0, None, hashlib.sha256()
        self._note_path.unlink(missing_ok=True)

    def rehash(self, start: int) -> int:
        """Hash a piece of what an earlier attempt left, from `start` on, and return where it ends."""
        os.lseek(self._descriptor, start, os.SEEK_SET)
        piece = os.read(self._descriptor, min(PIECE_BYTES, self.size - start))
        self._hash.update(piece)
        return start + len(piece)

    def write(self, data: bytes) -> None:
        """Add to the end."""
        os.lseek(self._descriptor, self.size, os.SEEK_SET)
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self._hash.update(view[:written])
            self.size += written
            view = view[written:]

    def is_model_so_far(self) -> bool:
        """Tell whether the file begins as model files do."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return MAGIC.startswith(os.read(self._descriptor, len(MAGIC)))

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def check_room(self, total: int) -> None:
        """Raise `disk_full` where what is missing would not fit."""
        missing, free = total - self.size, shutil.disk_usage(self.goal.parent).free
        if missing > free:
            message = f"The download needs {missing} bytes more, and the disk has {free} bytes left."
            raise SidecarError("disk_full", message)

    def finish(self) -> None:
        """Give the file its true name; from now on it survives a power cut."""
        os.fsync(self._descriptor)
        if os.name == "nt":
            self.close()  # what is open cannot be renamed there
        self.path.replace(self.goal)
        self._note_path.unlink(missing_ok=True)
        self.close()
        _sync_folder(self.goal.parent)

    def discard(self) -> None:
        """Delete what is there."""
        if os.name == "nt":
            self.close()
        self.path.unlink(missing_ok=True)
        self._note_path.unlink(missing_ok=True)
        self.close()

    def leave(self) -> None:
        """Keep what is there for another attempt; of nothing nothing is kept."""
        if self._descriptor >= 0 and not self.size:
            self.discard()
        self.close()

    def close(self) -> None:
        """Close the file, and free its lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _sync_folder(folder: Path) -> None:
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        with suppress(OSError):  # some network file systems do not know how to
            os.fsync(descriptor)
        os.close(descriptor)


class Hashing:
    """Reads a file piece by piece. In the end `size` is how long it is, and `digest` its SHA-256."""

    def __init__(self, path: Path) -> None:
        self.size = 0
        self._path = path
        self._hash = hashlib.sha256()

    def advance(self) -> bool:
        """Read a piece; tell whether there was one."""
        with self._path.open("rb") as file:
            file.seek(self.size)
            piece = file.read(PIECE_BYTES)
        self._hash.update(piece)
        self.size += len(piece)
        return bool(piece)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

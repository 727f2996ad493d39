"""Which keys there are: names and servers, never a key. A keychain cannot be asked for that."""

import os
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from sidecar.app_files import file_name
from sidecar.credentials.binding import Binding
from sidecar.credentials.lockfile import locked
from sidecar.schema.errors import SidecarError

REPLACE_PAUSES_S: Final = (0.01, 0.05, 0.2)
"""On Windows a file cannot be replaced while someone reads it."""

Bindings = dict[Binding, int]
"""Each binding with the number of its save: a key read under one number is outdated under another."""

Stamp = tuple[int, int, int] | None


class _Row(Struct, frozen=True):
    provider: str
    origin: str
    save: int


class _File(Struct, frozen=True):
    service: str
    keys: list[_Row]


class Index:
    """The list of one service's keys, shared with other processes."""

    def __init__(self, directory: Path, service: str) -> None:
        self._path = directory / file_name("keys", service, ".json")
        self._service = service
        self._stamp: Stamp = None
        self._bindings: Bindings = {}

    def read(self) -> Bindings:
        """Return what the file lists now; the file is opened only when it has changed."""
        stamp = self._current_stamp()
        if stamp != self._stamp:
            try:
                self._bindings = self._load()
            except OSError:
                self._bindings = {}
            self._stamp = stamp
        return self._bindings

    @contextmanager
    def editing(self) -> Generator[Bindings]:
        """Lock other processes out; what the block makes of the bindings is written, unless it raises."""
        with ExitStack() as stack:
            with _file_errors():
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                stack.enter_context(locked(self._path.with_suffix(".lock")))
                before = self._load()
            bindings = dict(before)
            yield bindings
            if bindings != before:
                with _file_errors():
                    self._write(bindings)

    def _current_stamp(self) -> Stamp:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def _load(self) -> Bindings:
        try:
            file = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            return {}
        return {Binding(row.provider, row.origin): row.save for row in file.keys}

    def _write(self, bindings: Bindings) -> None:
        rows = [_Row(binding.provider, binding.origin, save) for binding, save in bindings.items()]
        draft = self._path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(_File(self._service, rows)), indent=1))
            file.flush()
            os.fsync(file.fileno())
        _replace(draft, self._path)


def _replace(draft: Path, path: Path) -> None:
    for pause_s in REPLACE_PAUSES_S:
        try:
            draft.replace(path)
        except PermissionError:
            time.sleep(pause_s)
        else:
            return
    draft.replace(path)


@contextmanager
def _file_errors() -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            raise SidecarError("disk_full", "There is no room for the list of saved keys.") from None
        hint = "Make the data directory writable, or give another one."
        raise SidecarError("keyring_unavailable", "The list of saved keys cannot be written.", hint=hint) from None

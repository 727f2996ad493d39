"""Fetching one file: resumed where it broke off, checked while it comes, there under its name only when it is whole."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from sidecar.engines.llama import gguf
from sidecar.library.answers import Extent, extent_of, refusal, transient, unsuitable
from sidecar.library.partial import Hashing, Note, Partial, failure
from sidecar.library.remote import Remote, Remotes
from sidecar.library.waiting import Deadline, off_loop
from sidecar.schema.errors import SidecarError

GREATEST_BACKOFF_S: Final = 30.0
LOOK_S: Final = 0.25
"""How often another process that fetches the same file is looked at."""

Progress = Callable[[int, int | None], None]
"""Takes how many bytes there are, and how many there will be."""


class Patience(Struct, frozen=True, kw_only=True):
    """How long a download goes on. `failures` is how many attempts in a row may bring nothing, `attempts` how many."""

    idle_s: float = 60.0
    backoff_s: float = 0.5
    failures: int = 5
    attempts: int = 100


class Source(Struct, frozen=True, kw_only=True):
    """Which file is meant. `digest` is the SHA-256 that it must have, if that is known."""

    url: str
    digest: str | None = None


class Fetched(Struct, frozen=True, kw_only=True):
    """A whole file."""

    path: Path
    size: int
    digest: str


class _Complete(Exception):  # noqa: N818 - control flow inside this module
    """There is nothing to fetch: the file is there."""

    def __init__(self, fetched: Fetched) -> None:
        self.fetched = fetched


def _unheard() -> None:
    """Tell nobody."""


class Download:
    """One file on its way to `goal`."""

    def __init__(self, remotes: Remotes, source: Source, goal: Path, patience: Patience) -> None:
        self._remotes = remotes
        self._source = source
        self._goal = goal
        self._patience = patience
        self._digest = source.digest
        self._partial = Partial(goal)
        self._progress: Progress = lambda _size, _total: None

    async def run(self, progress: Progress) -> Fetched:
        """Return the file when it is whole; what there is of it is kept where this fails or is cancelled."""
        self._progress = progress
        try:
            if self._digest and (found := await self._found()):
                return found
            if await self._hold() and (found := await self._found()):
                return found
            await self._take_stock()
            await self._persist()
            return await self._finish()
        except _Complete as complete:
            return complete.fetched
        except OSError as error:
            raise failure(error) from None
        finally:
            with suppress(OSError):
                self._partial.leave()

    async def _hold(self) -> bool:
        """Take the unfinished file; tell whether another process had to be waited for."""
        waited = False
        while not await off_loop(self._partial.open):
            waited = True
            with suppress(OSError):
                self._progress(self._partial.path.stat().st_size, None)
            await asyncio.sleep(LOOK_S)
        return waited

    async def _found(self, alive: Callable[[], None] = _unheard) -> Fetched | None:
        """Return the whole file if it is there already, and as it should be; `alive` is called while it is read."""
        if not self._goal.is_file():
            return None
        reading = Hashing(self._goal)
        while await off_loop(reading.advance):
            alive()
        found = Fetched(path=self._goal, size=reading.size, digest=reading.digest)
        return found if self._digest in (None, found.digest) else None

    async def _take_stock(self) -> None:
        """See what an earlier attempt left."""
        partial, note = self._partial, self._partial.note
        if note is not None and (note.url != self._source.url or (note.total or partial.size) < partial.size):
            await off_loop(partial.restart)
        at = 0
        while at < partial.size:
            at = await off_loop(partial.rehash, at)
        self._progress(partial.size, partial.note.total if partial.note else None)

    async def _persist(self) -> None:
        """Try until the file is whole, as long as that brings something."""
        failures, best = 0, self._partial.size
        for _ in range(self._patience.attempts):
            try:
                await self._attempt()
            except SidecarError as error:
                gained = self._partial.size > best
                failures, best = (0 if gained else failures + 1), max(best, self._partial.size)
                if not transient(error) or failures >= self._patience.failures:
                    raise
                await asyncio.sleep(self._pause(error, failures))
            else:
                return
        raise SidecarError("download_failed", "The connection was lost too often.")

    def _pause(self, error: SidecarError, failures: int) -> float:
        told: int | None = error.details.get("retry_after_ms")
        own = self._patience.backoff_s * 2**failures * (1 + random.random() / 4)  # noqa: S311 - not a secret
        return min(GREATEST_BACKOFF_S, own if told is None else told / 1000)

    async def _attempt(self) -> None:
        note, size = self._partial.note, self._partial.size
        if note and size and size == note.total:
            return
        headers: dict[str, str] = {}
        if size and note and (note.etag or self._digest):
            headers["range"] = f"bytes={size}-"
            if note.etag:
                headers["if-range"] = note.etag
        async with (
            Deadline(self._patience.idle_s) as deadline,
            self._remotes.open(self._source.url, headers) as remote,
        ):
            await self._receive(remote, deadline.extend)

    async def _receive(self, remote: Remote, alive: Callable[[], None]) -> None:
        if fault := await refusal(remote):
            raise fault
        self._expect(remote)
        extent = extent_of(remote, self._partial.size)
        note = self._note(remote, extent)
        if extent.complete:
            return
        if extent.start != self._partial.size or not self._same(note):
            await off_loop(self._partial.restart)
        if extent.start != self._partial.size:
            raise SidecarError("stream_interrupted", "The file at the server has changed.")
        await self._prepare(note, alive)
        async for data in remote.answer.chunks:  # as much as came while the last piece was written
            alive()
            await self._write(data, note.total)
        if note.total is not None and self._partial.size < note.total:
            raise SidecarError("stream_interrupted", "The file came only in part.")

    def _expect(self, remote: Remote) -> None:
        """Take the hub's word for what the file must be; raise where it is not what was asked for."""
        if remote.digest and self._digest and remote.digest != self._digest and self._source.digest:
            raise SidecarError("checksum_mismatch", f"The file at {remote.host} is not the one with this sha256.")
        self._digest = self._source.digest or remote.digest

    def _note(self, remote: Remote, extent: Extent) -> Note:
        etag = remote.answer.headers.get("etag", "")
        strong = etag if etag.startswith('"') else None
        return Note(url=self._source.url, etag=strong, digest=self._digest, total=extent.total)

    def _same(self, note: Note) -> bool:
        """Tell whether what is there already is of the file that the server has now."""
        old = self._partial.note
        if old is None or not self._partial.size:
            return True
        known = old.digest and note.digest
        same = old.digest == note.digest if known else old.etag == note.etag
        return same and note.total in (None, old.total)

    async def _prepare(self, note: Note, alive: Callable[[], None]) -> None:
        partial = self._partial
        if note.total is not None:
            if not partial.size and self._has(note.total) and (found := await self._found(alive)):
                raise _Complete(found)
            await off_loop(partial.check_room, note.total)
        await off_loop(partial.describe, note)

    def _has(self, size: int) -> bool:
        return self._goal.is_file() and self._goal.stat().st_size == size

    async def _write(self, data: bytes, total: int | None) -> None:
        partial = self._partial
        begins = partial.size < len(gguf.MAGIC)
        await off_loop(partial.write, data)
        if begins and not partial.is_model_so_far():
            await off_loop(partial.restart)
            raise unsuitable("is not a model file")
        self._progress(self._partial.size, total)

    async def _finish(self) -> Fetched:
        partial = self._partial
        if self._digest and partial.digest != self._digest:
            await off_loop(partial.discard)
            raise SidecarError("checksum_mismatch", hint="It was deleted. Download it again, or check the sha256.")
        try:
            await off_loop(gguf.read, str(partial.path), _nothing)
        except SidecarError:
            await off_loop(partial.discard)
            raise
        fetched = Fetched(path=self._goal, size=partial.size, digest=partial.digest)
        await off_loop(partial.finish)
        return fetched


def _nothing(key: str) -> int:
    """Keep no metadata: that the header can be read is enough."""
    del key
    return 0

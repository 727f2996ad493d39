"""An answer whose body is still to be read, decompressed on the way."""

import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final, Protocol

from sidecar.concurrency import move_on_after
from sidecar.schema.errors import SidecarError

DRAIN_SECONDS: Final = 0.05
DRAIN_BYTES: Final = 64 << 10
INFLATED_BYTES: Final = 64 << 10
"""The most that one piece of a compressed body grows to."""

INFLATABLE: Final = ("gzip", "x-gzip", "deflate")


class Body(Protocol):
    """The bytes of a body as they came; iterating raises `stream_interrupted` where they break off."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def __anext__(self) -> bytes: ...

    @property
    def exhausted(self) -> bool:
        """Whether the end has been received."""
        ...


class Received:
    """What came back."""

    def __init__(self, status: int, headers: dict[str, str], body: Body) -> None:
        self.status = status
        self.headers = headers
        self._body = body
        encoding = headers.get("content-encoding", "identity").strip().lower()
        self.chunks: AsyncIterator[bytes] = body if encoding == "identity" else Inflated(body, encoding)

    async def read(self, bound: int) -> bytes:
        pieces: list[bytes] = []
        left = bound
        async for chunk in self.chunks:
            pieces.append(chunk)
            left -= len(chunk)
            if left < 0:
                break
        body = b"".join(pieces)
        return body if left >= 0 else body[:bound]

    async def drain(self) -> None:
        if self._body.exhausted:
            return
        left = DRAIN_BYTES
        async with move_on_after(DRAIN_SECONDS):
            with suppress(SidecarError):
                async for chunk in self._body:
                    left -= len(chunk)
                    if left < 0:
                        return


class Inflated:
    """What `raw` holds compressed, in pieces of bounded size."""

    def __init__(self, raw: AsyncIterator[bytes], encoding: str) -> None:
        self._raw = raw
        self._known = encoding in INFLATABLE
        self._inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        self._rest = b""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._known:
            raise SidecarError("malformed_response", "The answer is compressed in a way that was not offered.")
        while not (data := self._inflate()):
            self._rest = await anext(self._raw)
        return data

    def _inflate(self) -> bytes:
        if self._inflater.eof:
            return b""
        try:
            data = self._inflater.decompress(self._rest, INFLATED_BYTES)
        except zlib.error:
            raise SidecarError("malformed_response", "The compressed answer is damaged.") from None
        self._rest = self._inflater.unconsumed_tail
        return data

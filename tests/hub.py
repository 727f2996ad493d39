"""A hub on loopback: serves model files in pieces, over redirects, and fails in the ways that hubs do."""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Literal

from upstream import Exchange, Gate

Cut = Literal["fin", "rst"]
RANGE = re.compile(r"bytes=(\d+)-")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Hub:
    """`files` by path. The first answers with a file are cut behind so many bytes of it as `cuts` says, one after the
    other; then all are whole. `pauses` says behind how many bytes of a file answers wait until `gate` is opened."""

    files: dict[str, bytes]
    cuts: list[int] = field(default_factory=list)
    how: Cut = "fin"
    etags: bool = True
    ranges: bool = True
    digests: bool = False
    lengths: bool = True
    pause: int | None = None
    gate: Gate = field(default_factory=Gate)
    store: str = ""
    """The origin of another server that really has the files; this one points there."""
    headers: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    """With what the first requests are refused."""

    async def __call__(self, exchange: Exchange) -> None:
        path = exchange.request.path.partition("?")[0]
        if self.statuses:
            await exchange.respond(self.statuses.pop(0), self.headers)
        elif path not in self.files:
            await exchange.respond(404, {"content-type": "text/plain"}, b"Entry not found")
        elif self.store:
            await exchange.respond(302, {"location": f"{self.store}{path}?signed=yes"} | self._digest(path))
        else:
            await self._serve(exchange, self.files[path], path)

    def _digest(self, path: str) -> dict[str, str]:
        return {"x-linked-etag": f'"{sha256(self.files[path])}"'} if self.digests else {}

    async def _serve(self, exchange: Exchange, data: bytes, path: str) -> None:
        etag = f'"{sha256(data)[:16]}"'
        start = self._start(exchange, etag)
        if start >= len(data) > 0:
            await exchange.respond(416, {"content-range": f"bytes */{len(data)}"})
            return
        headers = self.headers | self._digest(path) | ({"etag": etag} if self.etags else {})
        if start:
            headers["content-range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        body, status = data[start:], 206 if start else 200
        if self.lengths:
            head = [f"HTTP/1.1 {status} OK", f"content-length: {len(body)}"]
            head += [f"{name}: {value}" for name, value in headers.items()]
            await exchange.raw(("\r\n".join(head) + "\r\n\r\n").encode())
        else:
            await exchange.start(status, headers, "close")
        await self._send(exchange, body, start)

    def _start(self, exchange: Exchange, etag: str) -> int:
        headers = exchange.request.headers
        asked = RANGE.fullmatch(headers.get("range", "")) if self.ranges else None
        current = not self.etags or headers.get("if-range", etag) == etag
        return int(asked[1]) if asked and current else 0

    async def _send(self, exchange: Exchange, body: bytes, start: int) -> None:
        if self.cuts:
            await exchange.raw(body[: self.cuts.pop(0)])
            await exchange.cut(self.how)
        elif self.pause is not None:
            place = max(0, self.pause - start)
            await exchange.raw(body[:place])
            await self.gate.passed()
            await exchange.raw(body[place:])
        else:
            await exchange.raw(body)

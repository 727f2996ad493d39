"""A long life, in short: many requests and streams with cancels and faults, and a look at what the process holds.

    python tests/soak.py --requests 50000 --streams 5000 --bound-s 900

Ends with one line of figures, and with code 1 where a request had not its one reply, or memory or descriptors grew.
"""

import argparse
import asyncio
import json
import os
import random
import select
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host import Host, script
from upstream import EVENT_STREAM, Exchange, running

TENTHS = 10
WINDOW = 64
STREAMS_AT_ONCE = 32
POOL = 20
"""Good answers at once before each look, so that kept connections are as many at every look."""
MAX_GROWTH = 0.05

PLAIN: list[tuple[str, dict[str, Any], int]] = [
    ("server.ping", {}, 300),
    ("providers.list", {}, 60),
    ("providers.get_active", {}, 60),
    ("credentials.list", {}, 30),
    ("chat.complete", script({"do": "text", "text": "word "}, {"do": "finish"}), 200),
    ("chat.complete", script({"do": "error", "type": "authentication"}), 60),
    ("chat.complete", script({"do": "defect"}), 20),
    ("chat.complete", script({"do": "text", "text": "word "}), 40),
    ("chat.complete", {"messages": "nonsense"}, 60),
    ("chat.estimate", {"provider": "scripted", "messages": [{"role": "user", "content": "hi"}]}, 40),
    ("embeddings.create", {"provider": "scripted", "model": "script-1", "input": ["a b", "c"]}, 60),
    ("budgets.list", {}, 20),
    ("cache.stats", {}, 20),
    ("usage.summary", {}, 1),
    ("chat.cancel", {"stream_id": "nobody's"}, 60),
    ("no.such.method", {}, 60),
]

FAULTS = ("none", "none", "none", "none", "status", "fin", "rst", "garbage", "hang")
SCRIPTS: list[list[dict[str, Any]]] = [
    [{"do": "text", "text": "some words ", "repeat": 20}, {"do": "finish"}],
    [{"do": "text", "text": "x" * 3000, "repeat": 5}, {"do": "finish"}],
    [{"do": "reasoning", "text": "hm"}, {"do": "text", "text": "so", "index": 1}, {"do": "finish"}],
    [{"do": "text", "text": "half a"}, {"do": "error", "type": "server_error"}],
    [{"do": "text", "text": "cut"}],
    [{"do": "text", "text": "then nothing"}, {"do": "hang"}],
    [{"do": "hang"}],
]


def chunk(words: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": words}, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode() + b"\n\n"


class Provider:
    """Answers with the fault that the question names; a question `together` waits until `POOL` of them are there."""

    def __init__(self) -> None:
        self._all = asyncio.Barrier(POOL)

    async def __call__(self, exchange: Exchange) -> None:
        question = exchange.request.json()["messages"][-1]["content"]
        if question == "status":
            await exchange.respond(500, {}, b"<html>no</html>")
            return
        await exchange.start(200, EVENT_STREAM)
        for number in range(5):
            await exchange.send(chunk(f"word {number} "))
        if question == "together":
            await self._all.wait()
        await _end(exchange, question)


async def _end(exchange: Exchange, question: str) -> None:
    if question == "hang":
        await exchange.hang()
    elif question in ("fin", "rst") and not exchange.connection.gone.is_set():
        await exchange.cut("fin" if question == "fin" else "rst")
    else:
        await exchange.send(b"data: {garbage\n\n" if question == "garbage" else chunk("", "stop") + b"data: [DONE]\n\n")
        await exchange.end()


@dataclass
class Sample:
    """What the process held at the end of a tenth."""

    rss_kb: int
    descriptors: int


@dataclass
class Open:
    """A stream in progress; `cancel_at` is the number of chunks after which it is cancelled."""

    cancel_at: int | None
    chunks: int = 0


@dataclass
class Soak:
    """One sidecar, what was asked of it, and what came back."""

    host: Host
    upstream: str
    random: random.Random
    deadline: float
    streams: dict[str, Open] = field(default_factory=dict)
    pending: dict[Any, str] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    rest: bytes = b""
    sent: int = 0

    def ask(self, method: str, params: dict[str, Any]) -> str | int:
        """Send a request, with an id of one type or the other."""
        self.sent += 1
        id_: str | int = self.sent if self.sent % 2 else str(self.sent)
        self.pending[id_] = method
        self.host.send(method, params, id_)
        return id_

    def plain(self) -> None:
        method, params, _ = self.random.choices(PLAIN, [weight for _, _, weight in PLAIN])[0]
        self.ask(method, params)

    def stream(self) -> None:
        """Open a stream of either provider, to be cancelled or not; one that would hang always is."""
        if self.random.random() < 0.5:
            params, hangs = self.over_http(self.random.choice(FAULTS))
        else:
            steps = self.random.choice(SCRIPTS)
            params, hangs = script(*steps), steps[-1] == {"do": "hang"}
            if hangs and len(steps) == 1:
                self.open(params, 0)  # there will be no chunk to cancel it after
                return
        self.open(params, self.random.choice((0, 0, 1)) if hangs else self.random.choice((None, None, None, 0, 1)))

    def over_http(self, fault: str) -> tuple[dict[str, Any], bool]:
        question = {"provider": "mine", "messages": [{"role": "user", "content": fault}]}
        return question | {"retry": {"max_retries": 0}}, fault == "hang"

    def open(self, params: dict[str, Any], cancel_at: int | None) -> None:
        name = f"s{self.sent}"
        self.streams[name] = Open(cancel_at)
        id_ = self.ask("chat.stream", params | {"stream_id": name})
        self.pending[id_] = name
        if cancel_at == 0:
            self.cancel(name, id_)

    def cancel(self, name: str, id_: str | int | None) -> None:
        if id_ is not None and self.random.random() < 0.5:
            note = {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id_}}
            self.host.write(json.dumps(note).encode() + b"\n")
        else:
            self.ask("chat.cancel", {"stream_id": name})

    def settle(self, most: int) -> None:
        """Read until at most so many requests are without a reply."""
        while len(self.pending) > most and not self.faults:
            for line in self.lines():
                self.take(json.loads(line))

    def lines(self) -> list[bytes]:
        assert self.host.process.stdout
        ready, _, _ = select.select([self.host.process.stdout], [], [], max(0.0, self.deadline - time.monotonic()))
        data = os.read(self.host.process.stdout.fileno(), 1 << 20) if ready else b""
        if not data:
            self.faults.append(
                f"{len(self.pending)} requests have no reply, as {sorted(set(self.pending.values()))[:5]}"
            )
            return []
        *lines, self.rest = (self.rest + data).split(b"\n")
        return lines

    def take(self, message: Any) -> None:
        if message.get("method") == "stream.chunk":
            self.chunk(message["params"]["stream_id"], message["params"]["seq"])
        elif "id" in message:
            self.reply(message["id"], message)

    def chunk(self, name: str, seq: int) -> None:
        if name not in self.streams or self.streams[name].chunks != seq:
            self.faults.append(f"chunk {seq} of {name} is out of place")
            return
        stream = self.streams[name]
        stream.chunks += 1
        if stream.chunks == stream.cancel_at:
            self.cancel(name, None)

    def reply(self, id_: str | int, message: Any) -> None:
        asked = self.pending.pop(id_, None)
        if asked is None:
            self.faults.append(f"{id_!r} is answered twice or was never asked")
            return
        error = message.get("error", {}).get("data", {}).get("type")
        reason = (message.get("result") or {}).get("finish_reason", {}).get("reason")
        self.outcomes[error or reason or "ok"] += 1
        if stream := self.streams.pop(asked, None):
            told = message["result"]["chunks"] if "result" in message else message["error"]["data"]["chunks"]
            if told != stream.chunks:
                self.faults.append(f"{asked} had {stream.chunks} chunks and is told to have had {told}")

    def look(self) -> Sample:
        """Wait for silence, fill the pool of connections, wait for silence again, and measure."""
        self.settle(0)
        for _ in range(POOL):
            self.open(self.over_http("together")[0], None)
        self.settle(0)
        process = Path(f"/proc/{self.host.process.pid}")
        (rss,) = [line for line in (process / "status").read_text().splitlines() if line.startswith("VmRSS")]
        return Sample(int(rss.split()[1]), len(list((process / "fd").iterdir())))

    def tenth(self, requests: int, streams: int) -> Sample:
        """Ask in random order, never for more than the sidecar takes at once."""
        kinds = [self.plain] * requests + [self.stream] * streams
        self.random.shuffle(kinds)
        for ask in kinds:
            self.settle(WINDOW)
            while len(self.streams) >= STREAMS_AT_ONCE and not self.faults:
                self.settle(len(self.pending) - 1)
            ask()
        return self.look()


@dataclass
class Result:
    """What a soak came to."""

    samples: list[Sample]
    outcomes: Counter[str]
    faults: list[str]
    asked: int
    seconds: float

    @property
    def growth(self) -> float:
        return self.samples[-1].rss_kb / self.samples[TENTHS // 5 - 1].rss_kb - 1

    @property
    def more_descriptors(self) -> int:
        return self.samples[-1].descriptors - self.samples[1].descriptors

    def line(self) -> str:
        early, late = self.samples[1], self.samples[-1]
        return (
            f"soak: {self.asked} requests and streams, {self.outcomes.total()} replies, {len(self.faults)} faults; "
            f"{self.outcomes['cancelled']} cancelled, {self.outcomes['stream_interrupted']} cut; "
            f"RSS in the second tenth {early.rss_kb} kB, in the last {late.rss_kb} kB ({self.growth:+.1%}); "
            f"descriptors {early.descriptors}, {late.descriptors}; {self.seconds:.0f} s"
        )


def soak(home: Path, requests: int, streams: int, bound_s: float) -> Result:
    """Ask for so much of one sidecar, in ten parts, and measure after each."""
    started = time.monotonic()
    flags = ("--scripted", "--log-level", "error")
    with running(Provider()) as server, (home / "log").open("wb") as log, Host(home, *flags, stderr=log) as host:
        host.initialize()
        config = {"provider": "openai_compatible", "id": "mine", "base_url": f"{server.url}/v1", "model": "m"}
        host.call("providers.configure", {"config": config})
        life = Soak(host, server.url, random.Random(6), started + bound_s)
        samples = []
        for _ in range(TENTHS):
            samples.append(life.tenth(requests // TENTHS, streams // TENTHS))
            if life.faults:
                raise AssertionError("; ".join(life.faults))
        life.faults += [] if host.end() == 0 else ["the sidecar did not end with code 0"]
    seconds = time.monotonic() - started
    return Result(samples, life.outcomes, life.faults, life.sent, seconds)


def main() -> int:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--requests", type=int, default=50_000)
    flags.add_argument("--streams", type=int, default=5_000)
    flags.add_argument("--bound-s", type=float, default=900)
    asked = flags.parse_args()
    with tempfile.TemporaryDirectory() as home:
        result = soak(Path(home), asked.requests, asked.streams, asked.bound_s)
    told = [f"{one.rss_kb} kB, {one.descriptors} descriptors" for one in result.samples]
    sys.stdout.write("\n".join([*told, *result.faults, str(dict(result.outcomes)), result.line()]) + "\n")
    return int(bool(result.faults) or result.growth > MAX_GROWTH or result.more_descriptors > 0)


if __name__ == "__main__":
    sys.exit(main())

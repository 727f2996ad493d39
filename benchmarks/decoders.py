#!/usr/bin/env python3
"""Measures the dialects' decoders beside a bare typed decode of the same JSON: `decoders.py`. See README.md."""

import argparse
import gc
import importlib
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

try:
    import msgspec
except ImportError:
    import peers

    os.execv(peers.own_python(), [peers.own_python(), *sys.argv])

import answers
from bench import publish
from report import Column, Samples, figure, markdown, median, ratio, spread

from sidecar.dialects.contract import Aim, Dialect
from sidecar.dialects.quirks import ChatQuirks
from sidecar.schema.chat import Origin
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import TextDelta

EVENTS: dict[str, tuple[str, str]] = {
    "openai_chat": ("wire", "Chunk"),
    "openai_responses": ("wire", "Event"),
    "anthropic_messages": ("wire", "Event"),
    "gemini_generate": ("wire", "Chunk"),
    "ollama_chat": ("wire", "Line"),
}
"""Where each dialect keeps the struct that it reads most events as."""

READ_BYTES = 64 << 10
PASSES = 10
AIM = Aim(
    provider="here",
    kind="here",
    model="m",
    origin=Origin("here", "http://127.0.0.1", "m"),
    quirks=ChatQuirks(),
)


@dataclass(frozen=True)
class Load:
    """Answers in one dialect: what comes in a read, and the JSON that is in it."""

    dialect: Dialect
    decode: Callable[[bytes], object]
    answers: list[list[bytes]]
    documents: list[bytes]

    def bare(self) -> None:
        """Decode the JSON and nothing more."""
        decode = self.decode
        for document in self.documents:
            decode(document)

    def framing(self) -> None:
        """Cut events that come one in each read."""
        for answer in self.answers:
            for _ in cut(self.dialect, answer):
                pass

    def single(self) -> None:
        """Decode with one event in each read, which is how answers arrive."""
        for answer in self.answers:
            self.read(answer)

    def joined(self) -> None:
        """Decode with full reads, which is how fast it goes."""
        for answer in self.answers:
            whole = b"".join(answer)
            self.read([whole[at : at + READ_BYTES] for at in range(0, len(whole), READ_BYTES)])

    def read(self, reads: list[bytes]) -> None:
        """Do what the engine does with an answer, up to the events."""
        framer, decoder = self.dialect.framer(), self.dialect.decode_stream(AIM)
        for data in reads:
            for frame in framer.feed(data):
                for _ in decoder.feed(frame):
                    pass
        for frame in framer.close():
            for _ in decoder.feed(frame):
                pass
        for _ in decoder.close():
            pass


WAYS: dict[str, Callable[[Load], None]] = {
    "bare": Load.bare,
    "framing": Load.framing,
    "single": Load.single,
    "joined": Load.joined,
}


def package(name: str) -> ModuleType | None:
    """A dialect's package, where there is one."""
    try:
        return importlib.import_module(f"sidecar.dialects.{name}")
    except ImportError as error:
        print(f"! {name}: {error}", file=sys.stderr)
        return None


def decoder_of(name: str) -> Callable[[bytes], object]:
    """The bare typed decode of a dialect's events."""
    module, struct = EVENTS[name]
    wire = importlib.import_module(f"sidecar.dialects.{name}.{module}")
    return msgspec.json.Decoder(getattr(wire, struct)).decode


def load_of(name: str, streams: list[list[bytes]]) -> Load:
    """A load; frames that are no JSON, such as [DONE], are none of the bare decode's."""
    dialect, decode = importlib.import_module(f"sidecar.dialects.{name}").DIALECT, decoder_of(name)
    frames = (frame.data for stream in streams for frame in cut(dialect, stream))
    return Load(dialect, decode, streams, [data for data in frames if data.startswith(b"{")])


def cut(dialect: Dialect, answer: list[bytes]) -> Iterator[object]:
    """The frames of an answer."""
    framer = dialect.framer()
    for data in answer:
        yield from framer.feed(data)
    yield from framer.close()


def check(name: str, load: Load) -> None:
    """What is measured must be the whole work: every word arrives."""
    decoder = load.dialect.decode_stream(AIM)
    events = [event for frame in cut(load.dialect, load.answers[0]) for event in decoder.feed(frame)]
    events += decoder.close()
    said = "".join(event.text for event in events if isinstance(event, TextDelta))
    if said != answers.TEXT:
        sys.exit(f"{name} does not decode the answer made for it")


def recorded(name: str) -> list[list[bytes]]:
    """The recordings of a dialect's streams that decode without an error, a read an event."""
    folder = HERE.parent.parent / "shared" / "recordings" / "exchanges"
    exchanges = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
    wanted = name.replace("_", "-")
    bodies = [
        exchange["response_body"].encode()
        for exchange in exchanges
        if exchange["dialect"] == wanted and exchange["sse"] and exchange["status"] == 200
    ]
    return [answers.split(body) for body in bodies if readable(name, body)]


def readable(name: str, body: bytes) -> bool:
    """Whether a stream is read to its end, and each of its events by the bare decode."""
    try:
        load = load_of(name, [answers.split(body)])
        load.single()
        load.bare()
    except (SidecarError, msgspec.DecodeError):
        return False
    return True


def loads() -> dict[str, Load]:
    """What is measured: for each dialect an answer made here, and the recordings together where there are any."""
    found: dict[str, Load] = {}
    for name in filter(package, EVENTS):
        found[name] = load_of(name, [answers.ANSWERS[name]()])
        check(name, found[name])
        if recordings := recorded(name):
            found[f"{name}, recorded"] = load_of(name, recordings)
    return found


def measure(load: Load, way: Callable[[Load], None]) -> float:
    """Microseconds of CPU time for an event; short loads are repeated."""
    passes = PASSES * max(1, answers.COUNT // len(load.documents))
    gc.collect()
    started = time.thread_time_ns()
    for _ in range(passes):
        way(load)
    return (time.thread_time_ns() - started) / 1e3 / passes / len(load.documents)


def take_turns(found: dict[str, Load], rounds: int) -> dict[str, dict[str, Samples]]:
    """Measure everything once a round, in random order: samples by load and way."""
    results: dict[str, dict[str, Samples]] = {name: {way: {} for way in WAYS} for name in found}
    turns = [(name, way) for name in found for way in WAYS]
    for at in range(rounds):
        for name, way in random.sample(turns, len(turns)):
            results[name][way][at] = {"us": measure(found[name], WAYS[way])}
    return results


def us(sample: dict[str, float]) -> float:
    """The figure of a sample."""
    return sample["us"]


COLUMNS = (
    ("bare", Column("bare decode, µs/event", median(us), 2)),
    ("framing", Column("framing alone", median(us), 2)),
    ("single", Column("an event a read, µs", median(us), 2)),
    ("single", Column("×", ratio(us), 2)),
    ("joined", Column("64 KiB a read, µs", median(us), 2)),
    ("joined", Column("×", ratio(us), 2)),
    ("single", Column("±%", spread(us), 0)),
)


def table(found: dict[str, Load], results: dict[str, dict[str, Samples]]) -> str:
    """A line for each load."""
    rows = [
        [name, f"{len(found[name].documents):,}"]
        + [figure(column.statistic(ways[way], ways["bare"]), column.digits) for way, column in COLUMNS]
        for name, ways in results.items()
    ]
    return markdown([["", "events", *(column.title for _, column in COLUMNS)], *rows])


def surroundings() -> str:
    """What the figures depend on."""
    machine = f"{platform.platform()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    return (
        f"{time.strftime('%Y-%m-%d %H:%M')}; {machine}; load {os.getloadavg()[0]:.1f}; msgspec {msgspec.__version__}."
    )


def main() -> None:
    """Run the rounds, and keep table and samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--results", type=Path, default=HERE / "results", metavar="FOLDER")
    options = parser.parse_args()
    found = loads()
    results = take_turns(found, options.rounds)
    options.results.mkdir(exist_ok=True)
    (options.results / "decoders.json").write_text(json.dumps(results))
    note = f"× is to the bare decode in the same round. {surroundings()}"
    publish(f"Decoders, framing included\n\n{table(found, results)}\n{note}\n", options.results / "decoders.md")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Measures local models: `local/measure.py [--rounds N] [--llama-server PATH]`. See ../README.md."""

import argparse
import json
import os
import random
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import processes
from bench import publish
from peers import Sample
from report import Column, Samples, figure, markdown, median, ratio
from subjects import LLAMA_SERVER, Answer, InProcess, LlamaServer, Neighbour, Sidecar

RESULTS = Path(__file__).resolve().parents[1] / "results"
TOKENS, FEW = 64, 2
WORDS = "the keeper of the lighthouse counts ships while waves and gulls come and go " * 28
STREAMS = ("a river", "a mountain", "a forest", "a desert")
US = 1e6

Subject = Sidecar | InProcess | LlamaServer
SUBJECTS: dict[str, Callable[[int], Subject]] = {
    "sidecar, xllamacpp": lambda threads: Sidecar("xllamacpp", threads),
    "xllamacpp in process": lambda threads: InProcess("xllamacpp", threads),
    "sidecar, llama-cpp-python": lambda threads: Sidecar("llama-cpp-python", threads),
    "llama-cpp-python in process": lambda threads: InProcess("llama-cpp-python", threads),
}
SERVER = "llama-server"
BASELINES = {
    "sidecar, xllamacpp": "xllamacpp in process",
    "sidecar, llama-cpp-python": "llama-cpp-python in process",
}
NEIGHBOURS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "alone": nullcontext,
    "with a busy neighbour": Neighbour,
}


def measure(subject: Subject, nonce: int) -> Sample:
    """Ask a long question that is new, the same again, and four short ones at once."""
    before = processes.cpu([subject.pid]) if subject.pid else 0.0
    long = f"Story {nonce}: {WORDS}\nTell this as a very long story."
    (cold,) = subject.ask([long], TOKENS)
    (warm,) = subject.ask([long], FEW)
    several = subject.ask([f"Story {nonce}: tell a very long story about {one}." for one in STREAMS], TOKENS)
    tokens = cold.tokens + warm.tokens + sum(answer.tokens for answer in several)
    return {
        "prompt": (cold.prompt - cold.cached) / cold.first,
        "cold": cold.first * 1000,
        "warm": warm.first * 1000,
        "one": (cold.tokens - 1) / (cold.end - cold.first),
        "four": sum(answer.tokens for answer in several) / max(answer.end for answer in several),
        "cpu": (processes.cpu([subject.pid]) - before) / tokens * US if subject.pid else None,
        "asked": asked(cold, several),
    }


def asked(cold: Answer, several: list[Answer]) -> list[int]:
    """Return the lengths of what was asked, which are everybody's; raise where an answer is too short to measure."""
    if any(answer.tokens < TOKENS // 2 for answer in [cold, *several]):
        raise RuntimeError("an answer is too short")
    return [answer.prompt for answer in [cold, *several]]


COLUMNS = (
    Column("prompt tok/s", median(lambda sample: sample["prompt"]), 0),
    Column("first token ms", median(lambda sample: sample["cold"]), 0),
    Column("again ms", median(lambda sample: sample["warm"]), 0),
    Column("1 stream tok/s", median(lambda sample: sample["one"]), 1),
    Column("× in process", ratio(lambda sample: sample["one"]), 2),
    Column("4 streams tok/s", median(lambda sample: sample["four"]), 1),
)
OF_SERVER = ratio(lambda sample: sample["four"])
CPU = median(lambda sample: sample["cpu"])


def rounds(options: argparse.Namespace, threads: int) -> dict[str, dict[str, Samples]]:
    """Return the samples by neighbour and subject; within a round the subjects take turns in random order."""
    makers = dict(SUBJECTS)
    if options.llama_server.exists():
        makers[SERVER] = lambda threads: LlamaServer(options.llama_server, threads)
    samples: dict[str, dict[str, Samples]] = {at: {name: {} for name in makers} for at in NEIGHBOURS}
    with ExitStack() as running:
        subjects = {}
        for name, make in makers.items():
            subjects[name] = make(threads)
            running.callback(subjects[name].stop)
            subjects[name].ask(["Hi!"], FEW)
        for number in range(options.rounds):
            for at, neighbour in NEIGHBOURS.items():
                with neighbour():
                    for name, sample in one_round(subjects).items():
                        samples[at][name][number] = sample
    return samples


def one_round(subjects: dict[str, Subject]) -> dict[str, Sample]:
    """Ask all the same."""
    nonce = random.randrange(10_000, 100_000)
    found = {name: measure(subjects[name], nonce) for name in random.sample(list(subjects), len(subjects))}
    if len({str(sample["asked"]) for sample in found.values()}) > 1:
        raise RuntimeError("the subjects were not asked the same")
    return found


def table(samples: dict[str, Samples]) -> str:
    """Return one table."""
    rows = [["", *(column.title for column in COLUMNS), "× llama-server", "sidecar's CPU µs a token"]]
    for name, own in samples.items():
        baseline = samples.get(BASELINES.get(name, ""), {})
        cells = [figure(column.statistic(own, baseline), column.digits) for column in COLUMNS]
        server = OF_SERVER(own, samples.get(SERVER, {})) if name != SERVER else None
        rows.append([name, *cells, figure(server, 2), figure(CPU(own, {}) if name in BASELINES else None, 0)])
    return markdown(rows)


def alone() -> str:
    """Tell the memory of a sidecar without a model."""
    sidecar = Sidecar(None, 1)
    found = processes.memory([sidecar.pid])
    sidecar.stop()
    return (
        f"The sidecar without a model: {found['rss_kb'] / 1024:.1f} MB resident, {found['uss_kb'] / 1024:.1f} its own."
    )


def main() -> None:
    """Measure, show and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--llama-server", type=Path, default=LLAMA_SERVER, metavar="PATH")
    options = parser.parse_args()
    before, parts, kept = os.getloadavg()[0], [], {}
    for threads in options.threads:
        kept[threads] = rounds(options, threads)
        parts += [f"{threads} threads, {at}\n\n{table(found)}" for at, found in kept[threads].items()]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "local.json").write_text(json.dumps(kept))
    load = f"Load before {before:.1f}, after {os.getloadavg()[0]:.1f}."
    publish("\n".join([*parts, alone(), load, ""]), RESULTS / "local.md")


if __name__ == "__main__":
    main()

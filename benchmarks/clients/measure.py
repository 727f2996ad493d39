#!/usr/bin/env python3
"""What a client costs its host beside the raw pipe, in each language: `measure.py [--rounds N] [LANGUAGE …]`.

A host asks the same source for streams of 2,000 chunks, once as fast as they can be read (CPU time of the host a chunk)
and once with a chunk a millisecond (the time from writing a chunk to holding its text), through the client and by hand.
Raw and client take turns within a round; × is the median of the ratios of neighbours.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / ".build"
SOURCE = [sys.executable, str(HERE / "source.py")]
CHUNKS = 2000
STREAMS = 20
GAP_US = 1000
ENVIRONMENT = os.environ | {
    "CARGO_HOME": str(BUILD / "cargo-home"),
    "CARGO_TARGET_DIR": str(BUILD / "cargo"),
    "GOCACHE": str(BUILD / "go"),
    "GOMODCACHE": str(BUILD / "go-modules"),
    "PYTHONPATH": str(ROOT / "clients" / "python" / "src"),
}


def built(*command, cwd):
    subprocess.run([str(word) for word in command], cwd=cwd, env=ENVIRONMENT, check=True, stdout=sys.stderr)


def typescript():
    built("npm", "ci", "--silent", "--no-audit", "--ignore-scripts", cwd=ROOT / "clients" / "typescript")
    built("npm", "run", "--silent", "build", cwd=ROOT / "clients" / "typescript")
    return [["node", str(HERE / f"{way}.mjs")] for way in ("raw", "client")]


def python():
    return [[sys.executable, str(HERE / f"{way}.py")] for way in ("raw", "client")]


def rust():
    built("cargo", "build", "--release", "--quiet", cwd=HERE / "rust")
    return [[str(BUILD / "cargo" / "release" / "measure"), way] for way in ("raw", "client")]


def go():
    built("go", "build", "-o", BUILD / "measure-go", ".", cwd=HERE / "go")
    return [[str(BUILD / "measure-go"), way] for way in ("raw", "client")]


LANGUAGES = {
    "typescript": (typescript, "npm"),
    "rust": (rust, "cargo"),
    "python": (python, "python3"),
    "go": (go, "go"),
}


def sample(host, streams, gap_us):
    """Return the host's CPU time a chunk and its median delay, in microseconds, once warm."""
    command = [*host, str(streams), *SOURCE, str(CHUNKS), str(gap_us)]
    output = subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE).stdout
    rows = [json.loads(line) for line in output.splitlines()][1 if streams > 1 else 0 :]
    assert all(len(row["latencies_us"]) == CHUNKS for row in rows), "chunks were lost"
    cpu = statistics.median(row["cpu_us"] / CHUNKS for row in rows)
    return cpu, statistics.median(statistics.median(row["latencies_us"]) for row in rows)


def compare(hosts, rounds):
    """Return raw and client figures: CPU in a burst, CPU and delay when paced, each with the ratio."""
    figures = []
    for _ in range(rounds):
        burst = [sample(host, STREAMS, 0)[0] for host in hosts]
        paced = [sample(host, 1, GAP_US) for host in hosts]
        figures.append((burst, [cpu for cpu, _ in paced], [delay for _, delay in paced]))
    return [
        (
            statistics.median(pair[0] for pair in column),
            statistics.median(pair[1] for pair in column),
            statistics.median(pair[1] / pair[0] for pair in column),
        )
        for column in zip(*figures, strict=True)
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("languages", nargs="*", default=list(LANGUAGES), metavar="LANGUAGE")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print("| client | burst, µs CPU a chunk | × raw | paced, µs CPU a chunk | × raw | paced, µs delay | × raw |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    for name in options.languages:
        build, tool = LANGUAGES[name]
        if shutil.which(tool) is None:
            print(f"{name} is left out: {tool} is not installed", file=sys.stderr)
            continue
        columns = (f"{client:.1f} | {ratio:.2f}" for _, client, ratio in compare(build(), options.rounds))
        print(f"| {name} | {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Measures the sidecar and its peers side by side: `bench.py summary`. See README.md."""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import time
from pathlib import Path

import summary
from peers import HERE, PEERS, Mock, Peer, PeerFailed, Sample, Sidecar
from report import Samples, figure, markdown
from suites import SUITES, Suite

BASELINE = "raw_httpx"
VERSIONS = """
from importlib.metadata import distributions
print(*sorted(f"{d.name} {d.version}" for d in distributions() if d.name in ("httpx", "httpx2", "openai", "litellm")))
"""


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="+", choices=["summary", *SUITES], metavar="SUITE", help="|".join(SUITES))
    parser.add_argument("--peers", default="raw_httpx,openai,litellm,sidecar", help=",".join(PEERS))
    parser.add_argument("--sidecar", action="append", default=[], metavar="NAME=CMD", help="measure this one too")
    parser.add_argument("--rounds", type=int, help="instead of each suite's own number")
    parser.add_argument("--results", type=Path, default=HERE / "results", metavar="FOLDER")
    return parser.parse_args()


def chosen_peers(options: argparse.Namespace) -> list[Peer]:
    """The peers to measure, the baseline first."""
    names = dict.fromkeys([BASELINE, *options.peers.split(",")])
    sidecars = [Sidecar(*named.split("=", 1)) for named in options.sidecar]
    peers = {name: PEERS[name] for name in names} | {sidecar.name: sidecar for sidecar in sidecars}
    for peer in peers.values():
        if not peer.python().exists():
            sys.exit(f"{peer.name} is not installed: run ./setup.sh {peer.venv}")
    return list(peers.values())


def take_turns(suite: Suite, peers: list[Peer], mock: Mock, rounds: int) -> dict[str, Samples]:
    """Measure all peers once a round, in random order, so that a noisy moment hits all of them alike."""
    results: dict[str, Samples] = {peer.name: {} for peer in peers}
    for at in range(rounds):
        for peer in random.sample(peers, len(peers)):
            if sample := attempt(suite, peer, mock):
                results[peer.name][at] = sample
        load = os.getloadavg()[0]
        print(f"  {suite.title}: round {at + 1} of {rounds}, load {load:.1f}", file=sys.stderr)
    return results


def attempt(suite: Suite, peer: Peer, mock: Mock) -> Sample | None:
    """One measurement; None, and a word on stderr, when the peer fails."""
    try:
        return suite.measure(peer, mock)
    except PeerFailed as failure:
        print(f"! {peer.name}: {failure}", file=sys.stderr)
        return None


def warm_up(peers: list[Peer], mock: Mock) -> None:
    """Start every peer once: that writes its byte code and fills the page cache."""
    for peer in peers:
        attempt(SUITES["cold"], peer, mock)


def run(suite: Suite, peers: list[Peer], mock: Mock, rounds: int | None) -> dict[str, Samples]:
    """All rounds of a suite; no peer outlives it."""
    mock.lateness()
    try:
        return take_turns(suite, peers, mock, rounds or suite.rounds)
    finally:
        for peer in peers:
            peer.stop()


def suite_table(suite: Suite, results: dict[str, Samples]) -> str:
    """A suite's results, a peer a line."""
    rows = [
        [name, *(figure(column.statistic(samples, results[BASELINE]), column.digits) for column in suite.columns)]
        for name, samples in results.items()
    ]
    return markdown([["", *(column.title for column in suite.columns)], *rows])


def surroundings(peers: list[Peer]) -> str:
    """What the figures depend on, beside the peers."""
    pythons = dict.fromkeys(peer.python() for peer in peers)
    versions = [subprocess.check_output([python, "-c", VERSIONS], text=True).strip() for python in pythons]
    machine = f"{platform.platform()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    return f"{time.strftime('%Y-%m-%d %H:%M')}; {machine}; load {os.getloadavg()[0]:.1f}; {', '.join(versions)}."


def publish(text: str, path: Path) -> None:
    """Show a table and keep it."""
    print(text)
    path.write_text(text)


def main() -> None:
    """Run the suites that are asked for, and keep tables and samples."""
    options = arguments()
    peers = chosen_peers(options)
    options.results.mkdir(exist_ok=True)
    asked = [name for name in options.suites if name != "summary"]
    if "summary" in options.suites:
        asked = list(dict.fromkeys([*asked, *summary.suites()]))
    results: summary.Results = {}
    mock = Mock()
    try:
        warm_up(peers, mock)
        for name in asked:
            suite = SUITES[name]
            results[name] = run(suite, peers, mock, options.rounds)
            (options.results / f"{name}.json").write_text(json.dumps(results[name]))
            note = f"The provider's own lateness: {mock.lateness()}\n" if name.startswith("streams") else ""
            publish(f"{suite.title}\n\n{suite_table(suite, results[name])}{note}", options.results / f"{name}.md")
    finally:
        mock.stop()
    if "summary" in options.suites:
        table = summary.table(results, [peer.name for peer in peers], BASELINE)
        note = f"× is to {BASELINE} in the same round. {surroundings(peers)}"
        publish(f"{table}\n{note}\n", options.results / "summary.md")


if __name__ == "__main__":
    main()

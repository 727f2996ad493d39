#!/usr/bin/env python3
"""Measures what the policies cost: `policies.py [--rounds N]`. See README.md."""

import argparse
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

import processes
from bench import publish
from peers import INITIALIZE, REPOSITORY, Mock, own_python
from report import Column, Sample, Samples, figure, markdown, median, ratio, spread

TOKENS, STREAMS, QUESTIONS = 2000, 3, 100
HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
HIGH = 10**9
PLAIN = {"provider": "openai_compatible", "id": "bench"}
LIMITED = PLAIN | {
    "rate_limits": {"requests_per_minute": HIGH, "tokens_per_minute": HIGH, "concurrency": 1000},
    "fallback": [{"provider": "other", "model": "mock-t1"}],
}
BUDGETS = [
    {"id": "all", "amount": "999999999", "period": "month"},
    {"id": "of bench", "amount": "999999999", "period": "day", "tag": "bench"},
]


class Sidecar:
    """A sidecar that is kept, and asked one question at a time."""

    def __init__(self, mock: Mock, entry: list[str], config: dict[str, object], budgets: list[dict[str, str]]) -> None:
        """Start it with one provider, and another that is never asked."""
        self.folder = tempfile.TemporaryDirectory()
        environment = {"PATH": "/usr/bin:/bin", "HOME": self.folder.name, "LANG": "C.UTF-8"}
        command = [own_python(), *entry, "--data-dir", self.folder.name]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, **pipes)
        self.ids = 0
        self.ask(INITIALIZE["method"], INITIALIZE["params"])
        for one in (config, {"provider": "openai_compatible", "id": "other"}):
            self.ask("providers.configure", {"config": one | {"base_url": f"{mock.base}/v1", "api_key": "sk-bench"}})
        for budget in budgets:
            self.ask("budgets.set", budget)

    def ask(self, method: str, params: dict[str, object]) -> int:
        """Ask, and return how many characters came in chunks, or else in the message."""
        self.ids += 1
        line = {"jsonrpc": "2.0", "id": self.ids, "method": method, "params": params}
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()
        chunks = []
        while not (reply := self.process.stdout.readline()).startswith(b'{"jsonrpc":"2.0","id"'):
            if not reply:
                raise EOFError("the sidecar has ended")
            chunks.append(reply)
        found = json.loads(reply)
        if "error" in found:
            raise RuntimeError(found["error"]["message"])
        told = sum(len(json.loads(chunk)["params"].get("delta", {}).get("text", "")) for chunk in chunks)
        message = found["result"].get("message") or {"content": []}
        return told or sum(len(part.get("text", "")) for part in message["content"])

    def load(self, method: str, model: str, times: int) -> Sample:
        """Ask so many times, after a warm-up; return the processor time of one question."""
        question = {"provider": "bench", "model": model, "messages": [{"role": "user", "content": "Say hello."}]}
        question |= {"tags": ["bench"], "include_message": method == "chat.complete"}
        said = self.ask(method, question)
        before = processes.cpu([self.process.pid])
        if any(self.ask(method, question) != said for _ in range(times)):
            raise RuntimeError("the answers differ")
        return {"us": (processes.cpu([self.process.pid]) - before) / times * 1e6, "said": said}

    def stop(self) -> None:
        """End it."""
        self.process.communicate()
        self.folder.cleanup()


LOADS = {
    f"a stream of {TOKENS:,} tokens": ("chat.stream", f"mock-t{TOKENS}", STREAMS),
    "a question of 20 tokens": ("chat.complete", "mock-t20", QUESTIONS),
}
VARIANTS = {
    "no policies": ([str(HERE / "bare_sidecar.py")], PLAIN, []),
    "those of every request": (["-m", "sidecar"], PLAIN, []),
    "all but the cache": (["-m", "sidecar"], LIMITED, BUDGETS),
}
US = Column("CPU µs", median(lambda sample: sample["us"]), 0)
COLUMNS = (US, Column("×", ratio(lambda sample: sample["us"]), 3), Column("±%", spread(lambda sample: sample["us"]), 1))


def measure(rounds: int) -> dict[str, dict[str, Samples]]:
    """Return the samples of each load by variant; within a round they take turns in random order."""
    mock = Mock()
    sidecars = {name: Sidecar(mock, *how) for name, how in VARIANTS.items()}
    samples = {load: {name: {} for name in VARIANTS} for load in LOADS}
    for number in range(rounds):
        for load, what in LOADS.items():
            for name in random.sample(list(sidecars), len(sidecars)):
                samples[load][name][number] = sidecars[name].load(*what)
    for sidecar in sidecars.values():
        sidecar.stop()
    mock.stop()
    return samples


def table(samples: dict[str, dict[str, Samples]]) -> str:
    """Return the table; every ratio is to no policies in the same round."""
    rows = [
        ["", *(f"{load}: {column.title}" if column is US else column.title for load in LOADS for column in COLUMNS)]
    ]
    for name in VARIANTS:
        cells = [
            figure(column.statistic(samples[load][name], samples[load]["no policies"]), column.digits)
            for load in LOADS
            for column in COLUMNS
        ]
        rows.append([name, *cells])
    return markdown(rows)


def main() -> None:
    """Measure, show and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    before = os.getloadavg()[0]
    samples = measure(parser.parse_args().rounds)
    load = f"Load before {before:.1f}, after {os.getloadavg()[0]:.1f}."
    publish(f"{table(samples)}\n{load}\n", RESULTS / "policies.md")


if __name__ == "__main__":
    main()

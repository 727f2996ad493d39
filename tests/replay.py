"""Plays the scenarios of `protocol/replay` with the clients' probes; its README tells what they are.

`python tests/replay.py` prints the table of all cases and clients, and what differs. Words after it choose among
them, as in `python tests/replay.py rust go crash`.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from host import gone
from patterns import Mismatch, match
from probes import PROBES

from protocol.replay import sidecar_replay

REPLAY: Final = Path(__file__).parents[1] / "protocol" / "replay"
SCENARIOS: Final = sorted(REPLAY.glob("*.json"))
PROBE_SECONDS: Final = 30.0
REMAINS_SECONDS: Final = 2.0
"""How long a process of a scenario may live on when its host has ended."""
KEPT_ENVIRONMENT: Final = ("PATH", "HOME", "SYSTEMROOT", "TEMP")


def load(path: Path) -> dict[str, Any]:
    """Return a scenario with everything written out."""
    scenario: dict[str, Any] = sidecar_replay.plain(json.loads(path.read_text("utf-8")))
    return scenario


def divergences(probe: list[str], path: Path, folder: Path) -> list[str]:
    """Play a scenario, with files in the folder, and return what was not as it says."""
    scenario = load(path)
    run = _Run(probe, scenario, path, folder)
    output = run.output()
    remaining = run.end_what_remains()
    found = list(_differences(scenario["expect"], output))
    if "starts" in scenario and scenario["starts"] != run.starts():
        found.append(f"the sidecar was started {run.starts()} times, not {scenario['starts']}")
    if remaining:
        found.append(f"processes that were left: {remaining}")
    return [*found, *run.remarks]


class _Run:
    """One run of a probe."""

    def __init__(self, probe: list[str], scenario: dict[str, Any], path: Path, folder: Path) -> None:
        written = folder / path.name
        # A probe that writes out nothing is given a scenario in which nothing is left to be written out.
        written.write_text(json.dumps(scenario), "utf-8")
        sidecar = scenario.get("command") or [sys.executable, "-S", "-E", sidecar_replay.__file__, str(path)]
        self._command = [*probe, str(written), *sidecar]
        self._state, self._pids = folder / "starts", folder / "pids"
        self._folder = folder
        self.remarks: list[str] = []

    def output(self) -> list[str]:
        """Return the lines that the probe wrote to its stdout."""
        kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        with (self._folder / "out").open("w+b") as out, (self._folder / "log").open("w+b") as log:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                cwd=self._folder,
                env=kept | {sidecar_replay.STATE: str(self._state), sidecar_replay.PIDS: str(self._pids)},
                start_new_session=True,
            )
            self._await(process)
            for file in (out, log):
                file.seek(0)
            text, said = out.read().decode(errors="replace"), log.read().decode(errors="replace")
        if process.returncode:
            self.remarks.append(f"the probe ended with {process.returncode}: {said[-2000:]}")
        # Not `splitlines`, for which U+2028 ends a line, too.
        return text.removesuffix("\n").split("\n") if text else []

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        try:
            process.wait(PROBE_SECONDS)
        except subprocess.TimeoutExpired:
            self.remarks.append(f"the probe took more than {PROBE_SECONDS:.0f} s")
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def starts(self) -> int:
        return self._state.stat().st_size if self._state.exists() else 0

    def end_what_remains(self) -> int:
        """Return how many processes of the scenario have outlived their host, and end them."""
        pids = [int(pid) for pid in self._pids.read_text("ascii").split()] if self._pids.exists() else []
        end = time.monotonic() + REMAINS_SECONDS
        remaining = [pid for pid in pids if not gone(pid, max(0.0, end - time.monotonic()))]
        for pid in remaining:
            os.kill(pid, signal.SIGKILL)
        return len(remaining)


def _differences(expected: list[Any], lines: list[str]) -> Iterator[str]:
    """Yield what the probe saw other than it should have; the first of them explains the others."""
    bound: dict[str, Any] = {}
    for number, pattern in enumerate(expected):
        if number >= len(lines):
            yield f"step {number}: nothing was seen, expected {json.dumps(pattern)[:500]}"
            return
        try:
            match(pattern, json.loads(lines[number]), bound, f"step {number}")
        except Mismatch as mismatch:
            yield f"{mismatch}\nthe whole line: {lines[number][:2000]}"
        except ValueError:
            yield f"step {number}: the probe wrote no JSON: {lines[number][:500]}"
    if len(lines) > len(expected):
        yield f"more was seen than there are steps: {lines[len(expected)][:500]}"


def table(words: list[str]) -> Iterator[str]:
    """Yield the lines of the table of cases and clients, and below it what differs."""
    languages = [language for language in PROBES if language in words] or list(PROBES)
    cases = [word for word in words if word not in PROBES]
    notes: list[str] = []
    commands = {language: _built(language, notes) for language in languages}
    yield f"{'':32}" + "".join(f"{language:12}" for language in languages)
    for path in SCENARIOS:
        if not cases or any(case in path.stem for case in cases):
            row = [_cell(language, commands[language], path, notes) for language in languages]
            yield f"{path.stem:32}" + "".join(f"{cell:12}" for cell in row)
    yield from notes


def _built(language: str, notes: list[str]) -> list[str] | None:
    """Return the command of a probe; none where there are no tools to build it, or where that fails."""
    try:
        return PROBES[language]()
    except pytest.skip.Exception as reason:
        notes.append(f"\n{language} was left out: {reason}")
    except AssertionError as error:
        notes.append(f"\n{language}: building it FAILED: {error}")
    return None


def _cell(language: str, command: list[str] | None, path: Path, notes: list[str]) -> str:
    if command is None:
        return "-"
    with tempfile.TemporaryDirectory() as folder:
        found = divergences(command, path, Path(folder))
    notes += [f"\n{language}, {path.stem}: {difference}" for difference in found]
    return "FAILED" if found else "ok"


def main(words: list[str]) -> int:
    """Print the table, and return the exit code."""
    failed = False
    for line in table(words):
        failed = failed or "FAILED" in line
        sys.stdout.write(line.rstrip() + "\n")
        sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

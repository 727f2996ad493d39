"""The peers as processes: how each is started, asked and stopped, and the provider they all talk to."""

import http.client
import json
import os
import shlex
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import processes

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
WORK = Path(os.environ.get("BENCH_WORK") or Path.home() / "bench-work")
COLD_MODEL = "mock-t20"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocol_version": 1, "client_info": {"name": "benchmark"}},
}
# The only other than the defaults: room for 500 streams.
SIDECAR_FLAGS = "--limit max_streams=1000 --limit max_requests=1200"

Sample = dict[str, Any]


class PeerFailed(Exception):  # noqa: N818 - it says what happened
    """A peer did not do what it was asked."""


class Mock:
    """The provider: `mock_upstream`, built by setup.sh."""

    def __init__(self) -> None:
        """Start it on a free port."""
        self.process = subprocess.Popen([WORK / "mock_upstream", "0"], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        self.base = f"http://127.0.0.1:{self.port}"

    def lateness(self) -> dict[str, float]:
        """How late it sent paced tokens since it was last asked."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/stats")
        return json.load(connection.getresponse())

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


@dataclass
class Peer:
    """A library, driven in a process of its own: `drive.py` in the peer's venv."""

    name: str
    venv: str
    adapter: str
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def python(self) -> Path:
        """The interpreter of its venv."""
        return WORK / "venvs" / self.venv / "bin" / "python"

    def spawn(self, mock: Mock, *flags: str) -> subprocess.Popen[str]:
        """Start the driver; what it writes to stderr goes to a log file."""
        # Clean, because shells set variables that distort a start: PYTHONDONTWRITEBYTECODE, SSL_CERT_FILE, proxies.
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "LANG": "C.UTF-8", "NO_PROXY": "*"}
        command = [self.python(), HERE / "drive.py", self.adapter, mock.base, *flags]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with self.log().open("w") as log:
            return subprocess.Popen(command, env=environment | self.environment, stderr=log, **pipes)

    def log(self) -> Path:
        """Where its stderr goes."""
        return WORK / f"{self.name}.log"

    def start(self, mock: Mock) -> None:
        """Start it, unless it runs, and wait until it could take a request."""
        if self.process is None:
            self.process = self.spawn(mock)
            self.answer()

    def ask(self, mock: Mock, load: str, **command: Any) -> Sample:
        """Have it do one of `loads.LOADS`."""
        self.start(mock)
        self.process.stdin.write(json.dumps({"load": load, **command}) + "\n")
        self.process.stdin.flush()
        sample = self.answer()
        if "failure" in sample:
            raise PeerFailed(sample["failure"])
        return sample

    def answer(self) -> Sample:
        """Its next answer."""
        if line := self.process.stdout.readline():
            return json.loads(line)
        self.stop()
        raise PeerFailed(self.log().read_text()[-400:] or "ended without a word")

    def stop(self) -> None:
        """End it; the sidecar behind it ends with its stdin."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def ready(self, mock: Mock) -> Sample:
        """The time from spawn until it could take a request, and its size then."""
        self.stop()
        spawned = time.monotonic_ns()
        self.start(mock)
        taken = time.monotonic_ns() - spawned
        return {"ms": taken / 1e6, **self.ask(mock, "memory")}

    def cold(self, mock: Mock) -> Sample:
        """The time from spawn (of the sidecar, where there is one) to the first answer, and its size then."""
        spawned = time.monotonic_ns()
        output, _ = self.spawn(mock, "--cold", COLD_MODEL).communicate()
        with suppress(ValueError):
            sample = json.loads(output)
            return {**sample, "ms": (sample["done"] - (sample["spawned_at"] or spawned)) / 1e6}
        raise PeerFailed(self.log().read_text()[-400:])


class Sidecar(Peer):
    """The sidecar, driven by a lean host."""

    def __init__(self, name: str, command: str) -> None:
        """Measure `command`, which is run in the repository's root."""
        self.command = f"{command} {SIDECAR_FLAGS}"
        environment = {"SIDECAR_CMD": self.command, "SIDECAR_CWD": str(REPOSITORY)}
        super().__init__(name, "base", "sidecar_adapter", environment)

    def ready(self, mock: Mock) -> Sample:  # noqa: ARG002 - needs no provider
        """The time from spawn to the reply to `initialize`, and its size then."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "LANG": "C.UTF-8"}
        spawned = time.monotonic_ns()
        with subprocess.Popen(shlex.split(self.command), cwd=REPOSITORY, env=environment, **pipes) as process:
            process.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
            process.stdin.flush()
            reply = process.stdout.readline()
            taken = time.monotonic_ns() - spawned
            if b'"result"' not in reply:
                raise PeerFailed(reply.decode() or "ended without a reply to initialize")
            return {"ms": taken / 1e6, **processes.memory(processes.tree(process.pid))}


def own_python() -> str:
    """The interpreter that has the sidecar's dependencies: the repository's venv, else the one running this."""
    own = REPOSITORY / ".venv" / "bin" / "python"
    return str(own) if own.exists() else sys.executable


PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer("raw_httpx", "base", "adapters.raw_httpx"),
        Peer("raw_httpx2", "httpx2", "adapters.raw_httpx", {"RAW_HTTPX": "httpx2"}),
        Peer("raw_aiohttp", "base", "adapters.raw_aiohttp"),
        Peer("raw_asyncio", "base", "adapters.raw_asyncio"),
        Peer("openai", "openai", "adapters.openai_sdk"),
        Peer("litellm", "litellm", "adapters.litellm_sdk"),
        Sidecar("sidecar", f"{own_python()} -m sidecar"),
    )
}

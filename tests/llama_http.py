"""Two real servers of Chat Completions on this machine, each in a process of its own, with the small model."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PATIENCE_S = 120.0
"""How long a server may take to load its model, on a machine that is busy."""

CONTEXT = 512
READY = re.compile(rb"(?:READY|Uvicorn running on) (http://[\w.:]+)")

LLAMA_CPP = f"""
import sys
import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx, params.n_parallel, params.port = {CONTEXT}, 1, 0
params.cpuparams.n_threads = 2
server = xllamacpp.Server(params)
print("READY", server.listening_address, flush=True)
sys.stdin.read()
"""
"""llama.cpp's own server, as the package xllamacpp carries it."""


def llama_cpp(model: Path) -> list[str]:
    return [sys.executable, "-c", LLAMA_CPP, str(model)]


def llama_cpp_python(model: Path) -> list[str]:
    """Return the command for the server that is written in Python around llama.cpp."""
    options = {"model": model, "model_alias": "smol", "host": "127.0.0.1", "port": 0, "n_ctx": CONTEXT, "n_threads": 2}
    flags = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return [sys.executable, "-m", "llama_cpp.server", *flags, "--verbose", "false"]


@contextmanager
def running(command: list[str]) -> Iterator[str]:
    """Start a server; return its address when it listens."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    log = _Log(process.stdout)
    log.start()
    try:
        yield log.address()
    finally:
        process.kill()
        process.wait()
        log.join()
        assert process.stdin is not None
        process.stdin.close()


class _Log(threading.Thread):
    """Reads what a server says, to its end, so that it is never kept from speaking."""

    def __init__(self, output: IO[bytes] | None) -> None:
        super().__init__(daemon=True)
        assert output is not None
        self._output = output
        self._said = b""
        self._told = threading.Event()

    def run(self) -> None:
        with self._output:
            for line in self._output:
                self._said = (self._said + line)[-4000:]
                if READY.search(self._said):
                    self._told.set()
        self._told.set()

    def address(self) -> str:
        assert self._told.wait(PATIENCE_S), "the server did not start in time"
        found = READY.search(self._said)
        assert found, f"the server did not start: {self._said.decode(errors='replace')}"
        return found[1].decode()

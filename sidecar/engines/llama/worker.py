"""The worker process: loads one model and answers for it, until its parent goes away."""

import contextlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NoReturn

from sidecar.descriptors import claim
from sidecar.engines.llama import protocol, runtimes
from sidecar.engines.llama.protocol import (
    Cancel,
    Chat,
    Command,
    Count,
    Delta,
    Embed,
    Failed,
    Kind,
    Load,
    Loaded,
    Outcome,
    Probe,
    Ready,
    Report,
    RuntimeChoice,
    Vector,
)
from sidecar.engines.llama.runtimes import Loader, Runtime, outcome
from sidecar.schema.errors import SidecarError

PARENT: Final = "--parent-pid"
PR_SET_PDEATHSIG: Final = 1
READ_BYTES: Final = 1 << 20
LF: Final = 10
STDERR: Final = 2
CRASHED: Final = 1

Work = Probe | Load | Chat | Embed | Count
Find = Callable[[RuntimeChoice], Loader]


def main(argv: list[str], find: Find = runtimes.find) -> NoReturn:
    """Serve commands on stdin until it ends; `--parent-pid N` says whose death is the worker's own."""
    _die_with(int(argv[argv.index(PARENT) + 1]))
    descriptors = claim()
    # On a failed assertion llama.cpp would start a debugger, which writes to our stdout.
    os.environ["GGML_NO_BACKTRACE"] = "1"
    # Ctrl-C in a terminal reaches every process; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipes = Pipes(descriptors.stdin, descriptors.stdout)
    threading.Thread(target=pipes.listen, name="control", daemon=True).start()
    _end_with_defects()
    # Native code must not run its destructors at exit, while its own threads are still busy.
    os._exit(Worker(pipes, find).run())


def _end_with_defects() -> None:
    """Have the process end with whatever nobody caught, in any thread: else those would wait whom it answered."""

    def end_thread(failure: threading.ExceptHookArgs) -> NoReturn:
        threading.__excepthook__(failure)
        os._exit(CRASHED)

    def end(*failure: Any) -> NoReturn:
        sys.__excepthook__(*failure)
        os._exit(CRASHED)

    threading.excepthook, sys.excepthook = end_thread, end


def _die_with(parent: int) -> None:
    """Have the kernel kill this process with its parent, also while native code holds the interpreter's lock."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # A packed executable may have a launcher in between; the end of stdin serves there.
    if os.getppid() != parent and not getattr(sys, "frozen", False):
        os._exit(0)


class Answer:
    """One command's replies. `cancelled` is set by the control thread and read by the runtime."""

    def __init__(self, command: Work, pipes: "Pipes") -> None:
        self.command = command
        self.cancelled = False
        self._pipes = pipes

    def add(self, kind: Kind, text: str) -> None:
        """Send more of the answer."""
        self._pipes.send(Delta(self.command.id, kind, text))

    def give(self, vector: list[float]) -> None:
        """Send the next vector."""
        self._pipes.send(Vector(self.command.id, vector))

    def end(self, outcome: Ready | Loaded | Outcome) -> None:
        """Send the last report."""
        self._pipes.close(self, outcome)


class Pipes:
    """The worker's end of the pipes. A control thread sorts commands; `answers` holds those to be carried out."""

    def __init__(self, inbox: int, outbox: int) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._lock = threading.Lock()
        self._open: dict[int, Answer] = {}
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def listen(self) -> NoReturn:
        """Sort commands until the parent closes the pipe, then end the process at once, whatever it is doing."""
        held = bytearray()
        with contextlib.suppress(OSError):
            while piece := os.read(self._inbox, READ_BYTES):
                held += piece
                if LF not in piece:
                    continue
                *lines, rest = bytes(held).split(b"\n")
                held = bytearray(rest)
                for line in lines:
                    self._sort(protocol.decode_command(line))
        os._exit(0)

    def _sort(self, command: Command) -> None:
        if isinstance(command, Cancel):
            if begun := self._open.get(command.id):
                begun.cancelled = True
            return
        answer = self._open[command.id] = Answer(command, self)
        self.answers.put(answer)

    def send(self, report: Report) -> None:
        """Write a report; ends the process when nobody reads any more."""
        line = memoryview(protocol.encode(report) + b"\n")
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._outbox, line) :]
            except OSError:
                os._exit(0)

    def close(self, answer: Answer, report: Report) -> None:
        """Send the last report of a command."""
        self._open.pop(answer.command.id, None)
        self.send(report)


class Worker:
    """Begins commands one after the other, in the one thread that ever calls the runtime."""

    def __init__(self, pipes: Pipes, find: Find) -> None:
        self._pipes = pipes
        self._find = find
        self._model: Runtime | None = None

    def run(self) -> int:
        """Return the exit code, when a model could not be loaded: nothing is left to do then."""
        while True:
            answer = self._pipes.answers.get()
            match answer.command:
                case Probe() | Load() as command:
                    report = outcome(command.id, partial(self._prepare, command))
                    answer.end(report)
                    if isinstance(command, Load) and isinstance(report, Failed):
                        return 0
                case command:
                    assert self._model is not None
                    self._model.start(command, answer)

    def _prepare(self, command: Probe | Load) -> Ready | Loaded:
        if isinstance(command, Probe):
            return Ready(command.id, self._find(command.runtime).name)
        self._model = model = self._load(command)
        return Loaded(command.id, model.name, model.context_size, model.parallel)

    def _load(self, command: Load) -> Runtime:
        try:
            return self._find(command.runtime).load(command)
        except SidecarError as error:
            # What the runtime itself said belongs into the log, which tells why a model could not be loaded.
            os.write(STDERR, f"{error.__cause__ or ''}\n".encode())
            raise


if __name__ == "__main__":
    main(sys.argv[1:])

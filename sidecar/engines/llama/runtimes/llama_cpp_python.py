"""llama.cpp through its Python bindings. https://github.com/abetlen/llama-cpp-python"""

import ctypes
import importlib
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NoReturn

from sidecar.engines.llama.protocol import Chat, Count, Counted, Embed, Load, RuntimeName
from sidecar.engines.llama.runtimes import Answer, outcome, whole_batch
from sidecar.engines.llama.runtimes.llama_cpp_batch import Batches
from sidecar.engines.llama.runtimes.llama_cpp_generation import Generation
from sidecar.engines.llama.runtimes.llama_cpp_model import Context, Weights
from sidecar.engines.llama.runtimes.llama_cpp_sequences import Sequences
from sidecar.engines.llama.runtimes.llama_cpp_template import Template
from sidecar.engines.llama.runtimes.llama_cpp_vectors import Texts

STDERR: Final = 2
LEVEL_WARN: Final = 3
LEVEL_CONTINUED: Final = 5

KEPT: Final = 8
"""So many conversations are remembered beside those that go on."""

MOST: Final = 32
"""More at once would leave each a token or two of a batch."""

EXPECTED: Final = (b"failed to find a memory slot", b"removing memory module entries")
"""What llama.cpp warns of when it has no room, or is told to stop."""


class LlamaCppPython:
    """The installed package."""

    name: RuntimeName = "llama-cpp-python"

    def __init__(self) -> None:
        self.native: Any = importlib.import_module("llama_cpp")
        self._log = self.native.llama_log_callback(_log_filter())
        self.native.llama_log_set(self._log, ctypes.c_void_p(0))
        self.native.llama_backend_init()

    def load(self, request: Load) -> "Chats | Vectors":
        """Load a model; what llama.cpp says of a failure is on stderr."""
        weights = Weights(self.native, request)
        return Chats(self, weights, request) if request.pooling is None else Vectors(self, weights, request)


def _log_filter() -> Callable[[int, bytes, object], None]:
    """Return a log callback that lets unexpected warnings and errors through to stderr."""
    serious = False

    def write(level: int, text: bytes, _data: object) -> None:
        nonlocal serious
        if level != LEVEL_CONTINUED:
            serious = level >= LEVEL_WARN and not any(words in text for words in EXPECTED)
        if serious:
            os.write(STDERR, text)

    return write


class Chats:
    """A model loaded for chats. Their tokens are evaluated in one thread: each further one would slow down all."""

    name: RuntimeName = "llama-cpp-python"

    def __init__(self, package: LlamaCppPython, weights: Weights, request: Load) -> None:
        self._package = package  # what llama.cpp calls back
        self.parallel = min(max(request.parallel, 1), MOST)
        number = self.parallel + (KEPT if weights.rewindable else 0)
        self._context = Context(weights, request, number)
        self._template = Template(weights)
        self._batches = Batches(self._context, Sequences(self._context, number), self.parallel)
        self.context_size = self._context.size
        _repeat(self._batches.step)

    def start(self, command: Chat | Embed | Count, answer: Answer) -> None:
        """Begin a chat, or count at once."""
        result = outcome(command.id, partial(self._start, command, answer))
        if result is not None:
            answer.end(result)

    def _start(self, command: Chat | Embed | Count, answer: Answer) -> Counted | None:
        assert not isinstance(command, Embed)
        prompt = self._template.tokens(command)
        if isinstance(command, Count):
            return Counted(command.id, len(prompt))
        self._batches.add(Generation(self._context, command, prompt, answer))
        return None


class Vectors:
    """A model loaded for vectors."""

    name: RuntimeName = "llama-cpp-python"
    parallel = 1

    def __init__(self, package: LlamaCppPython, weights: Weights, request: Load) -> None:
        self._package = package  # what llama.cpp calls back
        context = Context(weights, request, 1)
        self.context_size = context.size
        self._texts = Texts(context, whole_batch(request) or context.size)
        _repeat(self._texts.step)

    def start(self, command: Chat | Embed | Count, answer: Answer) -> None:
        """Begin to make vectors."""
        assert isinstance(command, Embed)
        self._texts.add(command, answer)


def _repeat(step: Callable[[], None]) -> None:
    """Repeat a step for ever, in a thread of its own."""

    def run() -> NoReturn:
        while True:
            step()

    threading.Thread(target=run, name="decode", daemon=True).start()

"""The ways to run llama.cpp inside a worker, and which of them are installed."""

import importlib.util
import math
import sys
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from sidecar.engines.llama.protocol import (
    Chat,
    Count,
    Embed,
    Failed,
    Kind,
    Load,
    Outcome,
    Pooling,
    RuntimeChoice,
    RuntimeName,
)
from sidecar.schema.errors import SidecarError

Result = TypeVar("Result")

BATCH: Final = 64
"""Prompt tokens evaluated at a time: the border at which a cancelled prompt may stop, and progress is told."""


POOLINGS: Final[dict[Pooling, int]] = {"mean": 1, "cls": 2, "last": 3}
"""Their numbers in llama.cpp."""


class Answer(Protocol):
    """Where a runtime delivers, from any thread. `cancelled` may turn true at any moment, set by another thread."""

    @property
    def cancelled(self) -> bool: ...
    def add(self, kind: Kind, text: str) -> None: ...
    def give(self, vector: list[float]) -> None: ...
    def end(self, outcome: Outcome) -> None: ...


class Runtime(Protocol):
    """A loaded model.

    `start` begins a command, up to `parallel` at once, and ends its answer exactly once: a chat within a token or a
    batch of `answer.cancelled`; vectors, of length 1 and never of less than the whole text, between two of them.
    It is called from the thread that loaded the model. After `Failed` the model is fit for the next command.
    Thoughts are told as such, or come as text between `<think>`, also where the template writes it, and `</think>`.
    """

    name: RuntimeName
    context_size: int
    parallel: int

    def start(self, command: Chat | Embed | Count, answer: Answer) -> None: ...


def outcome(id_: int, work: Callable[[], Result]) -> Result | Failed:
    """Return what comes of a command, or why nothing does."""
    try:
        return work()
    except SidecarError as error:
        details = {name: error.details.get(name) for name in ("hint", "param")}
        return Failed(id_, error.type, error.message, **details)
    except MemoryError:
        return Failed(id_, "out_of_memory", "There is not enough memory for this.")


class Loader(Protocol):
    """A runtime that is installed. Constructing one imports it; `load` raises `SidecarError`."""

    name: RuntimeName

    def load(self, request: Load) -> Runtime: ...


def _llama_cpp_python() -> Loader:
    from sidecar.engines.llama.runtimes.llama_cpp_python import LlamaCppPython

    return LlamaCppPython()


def _xllamacpp() -> Loader:
    from sidecar.engines.llama.runtimes.xllama import Xllamacpp

    return Xllamacpp()


MODULES: Final[dict[RuntimeName, str]] = {"llama-cpp-python": "llama_cpp", "xllamacpp": "xllamacpp"}
"""The module of each runtime, the one that `auto` prefers first: who built llama-cpp-python chose it."""

LOADERS: Final[dict[RuntimeName, Callable[[], Loader]]] = {
    "llama-cpp-python": _llama_cpp_python,
    "xllamacpp": _xllamacpp,
}


def installed() -> list[RuntimeName]:
    """Return the runtimes that are installed, without importing them."""
    return [name for name, module in MODULES.items() if importlib.util.find_spec(module) is not None]


def choose(wanted: RuntimeChoice) -> RuntimeName:
    """Return the runtime to use; raises `SidecarError("engine_unavailable")` when it is not installed."""
    present = installed()
    for name in present:
        if wanted in ("auto", name):
            return name
    raise _missing("xllamacpp" if wanted == "auto" else wanted)


def find(wanted: RuntimeChoice) -> Loader:
    """Import the wanted runtime; raises `SidecarError("engine_unavailable")` when that fails."""
    name = choose(wanted)
    try:
        return LOADERS[name]()
    except (ImportError, OSError, RuntimeError) as error:
        raise _unusable(name, str(error)) from None


def whole_batch(request: Load) -> int | None:
    """Return how many tokens must be evaluated at once, where a text's vector depends on all of its tokens."""
    return None if request.pooling in (None, "last") else request.context_size


def normalised(vector: list[float]) -> list[float]:
    """Return `vector` with a length of 1; raises `SidecarError("server_error")` where that cannot be."""
    length = math.hypot(*vector)
    if not length or not math.isfinite(length):
        raise SidecarError("server_error", "The local engine gave a vector without a direction.")
    return [value / length for value in vector]


def text_too_long(tokens: int, context_size: int) -> SidecarError:
    """Say that a text does not fit."""
    message = f"A text has {tokens} tokens, but the model's context holds {context_size}."
    return SidecarError("context_length_exceeded", message, hint="Cut the text into shorter pieces.")


def context_exceeded(prompt_tokens: int, context_size: int) -> SidecarError:
    """Say that a prompt does not fit."""
    message = f"The conversation has {prompt_tokens} tokens, but the model's context holds {context_size}."
    return SidecarError("context_length_exceeded", message)


def _missing(package: str) -> SidecarError:
    if getattr(sys, "frozen", False):
        return SidecarError("engine_unavailable", f"This build lacks {package}, which runs local models.")
    message = f"No engine for local models is installed; install one with `pip install {package}`."
    return SidecarError("engine_unavailable", message, hint=f"pip install {package}")


def _unusable(name: RuntimeName, reason: str) -> SidecarError:
    if "libgomp" in reason:
        message = f"{name} needs the system library libgomp: install libgomp1, as with `apt install libgomp1`."
        return SidecarError("engine_unavailable", message, hint="apt install libgomp1")
    message = f"{name} is installed but does not run on this system; reinstall it with `pip install {name}`."
    return SidecarError("engine_unavailable", message, hint=reason[:300])

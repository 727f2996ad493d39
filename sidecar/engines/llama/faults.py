"""Why a worker died or could not load a model, in words."""

import re
import signal
from collections.abc import Sequence
from typing import Final

from sidecar.schema.errors import ErrorType, SidecarError

SIGNALS: Final = {
    "SIGSEGV": "it read memory that it may not read",
    "SIGABRT": "one of its own checks failed",
    "SIGBUS": "the model file became unreadable, for instance because it was shortened",
    "SIGKILL": "the system ended it, perhaps because memory ran out",
    "SIGTERM": "it was told to end",
    "SIGFPE": "it divided by zero",
}

WINDOWS: Final = {
    0xC0000005: SIGNALS["SIGSEGV"],
    0xC0000409: SIGNALS["SIGABRT"],
    0xC0000006: SIGNALS["SIGBUS"],
    0xC0000017: "memory ran out",
}

NO_INSTRUCTION: Final = frozenset({-signal.SIGILL, 0xC000001D})
"""How a program ends, on POSIX and on Windows, that meets an instruction that the processor does not know."""

KILLED: Final = -9
"""How a process ends when memory runs out on Linux, or when somebody kills it."""

BUILD: Final = (
    'CMAKE_ARGS="-DLLAVA_BUILD=OFF -DGGML_NATIVE=ON -DGGML_OPENMP=OFF -DLLAMA_OPENSSL=OFF"'
    " pip install --no-cache-dir llama-cpp-python"
)
"""The command that builds a runtime for the processor at hand."""

NO_MEMORY: Final = re.compile(
    r"failed to allocate|unable to allocate|out of memory|bad_alloc|cannot allocate memory|MemoryError"
    r"|can.t start new thread|std::system_error|mem_buffer != NULL|memory allocation .*failed"
    r"|failed to (?:create|initialize the) (?:llama_)?context",
    re.IGNORECASE,
)
SMALLER: Final = "Choose a smaller context size or a smaller model."
LOAD_ERRORS: Final = (
    re.compile(r"error loading model: (?P<reason>.+)"),
    re.compile(r"gguf_init\w*: (?P<reason>.+)"),
    re.compile(r"failed to (?P<reason>.+)"),
)
ASSERTION: Final = re.compile(r"GGML_ASSERT\(.*\) failed|terminate called .*|what\(\): .*")
HINT_LENGTH: Final = 300


def crash(code: int | None, log: Sequence[str]) -> SidecarError:
    """Return the error for a worker that ended by itself with exit code `code` and these last lines on stderr."""
    if code in NO_INSTRUCTION:
        message = (
            "The local engine was built for processors with instructions that this one lacks, such as AVX2;"
            " build llama-cpp-python on this machine, and use it as the runtime."
        )
        return SidecarError("engine_unavailable", message, hint=BUILD)
    if any(NO_MEMORY.search(line) for line in log):
        return SidecarError("out_of_memory", "The local engine ended because memory ran out.", hint=SMALLER)
    usual = SMALLER if code == KILLED else None
    hint = next((found[0][:HINT_LENGTH] for line in log if (found := ASSERTION.search(line))), usual)
    return SidecarError("engine_crashed", f"The local engine crashed: {_reason(code)}.", hint=hint)


def _reason(code: int | None) -> str:
    if code is None:
        return "it stopped answering"
    if code in WINDOWS:
        return WINDOWS[code]
    if code >= 0:
        return f"it ended with exit code {code}"
    name = next((one.name for one in signal.Signals if one == -code), f"signal {-code}")
    return SIGNALS.get(name, f"it was ended by {name}")


def not_loaded(failure: SidecarError, file: str, log: Sequence[str]) -> SidecarError:
    """Return `failure` with what llama.cpp said about it on stderr."""
    if failure.type != "model_file_invalid":
        return failure
    kind: ErrorType = "model_file_invalid"
    if any(NO_MEMORY.search(line) for line in log):
        message = f"The model {file} or its context does not fit into memory."
        return SidecarError("out_of_memory", message, hint=SMALLER)
    found = (match for pattern in LOAD_ERRORS for line in log if (match := pattern.search(line)))
    reason = next((match["reason"][:HINT_LENGTH] for match in found), None)
    told = f": {reason}" if reason else ""
    return SidecarError(kind, f"The model file {file} could not be loaded{told}.")

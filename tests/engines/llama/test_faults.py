import signal

import pytest

from sidecar.engines.llama.faults import crash, not_loaded
from sidecar.schema.errors import SidecarError

REFUSED = SidecarError("model_file_invalid", "The model could not be loaded.")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-signal.SIGSEGV, "it read memory that it may not read"),
        (-signal.SIGUSR1, "it was ended by SIGUSR1"),
        (-99, "it was ended by signal 99"),
        (0xC0000005, "it read memory that it may not read"),
        (0, "it ended with exit code 0"),
        (None, "it stopped answering"),
    ],
)
def test_an_exit_code_is_told_in_words(code: int | None, words: str) -> None:
    error = crash(code, [])
    assert (error.type, error.message) == ("engine_crashed", f"The local engine crashed: {words}.")


def test_a_crash_for_want_of_memory_is_told_as_such() -> None:
    assert crash(-signal.SIGABRT, ["terminate called after throwing std::bad_alloc"]).type == "out_of_memory"


def test_who_was_killed_may_have_taken_too_much_memory() -> None:
    error = crash(-signal.SIGKILL, [])
    assert (error.type, error.message, error.details["hint"]) == (
        "engine_crashed",
        "The local engine crashed: the system ended it, perhaps because memory ran out.",
        "Choose a smaller context size or a smaller model.",
    )


@pytest.mark.parametrize("code", [-signal.SIGILL, 0xC000001D])
def test_an_instruction_that_the_processor_lacks_means_another_build(code: int) -> None:
    error = crash(code, [])
    assert error.type == "engine_unavailable"
    assert "build llama-cpp-python on this machine" in error.message
    assert "-DGGML_NATIVE=ON" in error.details["hint"]


@pytest.mark.parametrize(
    "line",
    [
        "RuntimeError: can't start new thread",
        "terminate called after throwing an instance of 'std::system_error'",
        "ggml.c:1555: GGML_ASSERT(ctx->mem_buffer != NULL) failed",
        "OpenBLAS error: Memory allocation still failed after 10 retries, giving up.",
        "E llama_model_load: error loading model: mmap failed: Cannot allocate memory",
    ],
)
def test_all_ways_of_having_no_memory_are_told_as_such(line: str) -> None:
    assert crash(-signal.SIGABRT, [line]).type == "out_of_memory"


def test_a_load_failure_quotes_the_engine() -> None:
    log = [
        "0.00.005.371 E gguf_init_from_reader: invalid magic characters: 'hell', expected 'GGUF'",
        "0.00.046.846 E llama_model_load: error loading model: unknown model architecture: 'blama'",
        "0.00.046.869 E llama_model_load_from_file_impl: failed to load model",
    ]
    message = "The model file a.gguf could not be loaded: unknown model architecture: 'blama'."
    assert not_loaded(REFUSED, "a.gguf", log).message == message


def test_a_load_failure_without_a_reason_is_told_all_the_same() -> None:
    assert not_loaded(REFUSED, "a.gguf", []).message == "The model file a.gguf could not be loaded."


def test_a_context_too_large_for_the_memory_is_out_of_memory() -> None:
    log = ["E llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache"]
    assert not_loaded(REFUSED, "a.gguf", log).type == "out_of_memory"


def test_other_failures_pass_unchanged() -> None:
    unavailable = SidecarError("engine_unavailable", "No engine.")
    assert not_loaded(unavailable, "a.gguf", ["failed to allocate"]) is unavailable

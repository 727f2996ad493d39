"""What holds for all code: who may import whom, and what nobody writes."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.providers import PROVIDERS

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "sidecar").rglob("*.py"))
TREES = {path.relative_to(ROOT / "sidecar").as_posix(): ast.parse(path.read_text("utf-8")) for path in SOURCES}

MAX_LINES = 300

NAMELESS = ("dialects/", "middleware/", "engines/", "rpc/", "framing/")
"""Where providers have no names: behaviour follows from their records."""
NAMES = set(PROVIDERS) - {"local", "scripted"} | {"anthropic", "google", "gemini", "xai"}
"""`local` and `scripted` are words of the language, too; the engines go by them."""

LAST_RESORT = {"app.py"}
"""The one place where a defect becomes an exit code."""

FORBIDDEN_CALLS = {"print", "create_task", "ensure_future"}

LATE = (
    "httpcore2",
    "httptools",
    "truststore",
    "keyring",
    "platformdirs",
    "tomllib",
    "xllamacpp",
    "llama_cpp",
    "sqlite3",
    "importlib.metadata",
)
"""What a start must not wait for."""


def nodes(kind: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    for name, tree in TREES.items():
        yield from ((name, node) for node in ast.walk(tree) if isinstance(node, kind))


def docstrings(tree: ast.AST) -> set[int]:
    """Return the ids of all strings that are statements of their own."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Return every name and every string that does something, with its line."""
    silent = docstrings(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in silent:
                yield node.lineno, text
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                yield getattr(node, "lineno", 0), name
            case _:
                continue


def test_imports_obey_the_contracts() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_providers_have_no_names_where_behaviour_is() -> None:
    found = [
        f"{name}:{line}: {text}"
        for name, tree in TREES.items()
        if name.startswith(NAMELESS)
        for line, text in words(tree)
        if NAMES.intersection(re.findall(r"[a-z_]+", text.lower()))
    ]
    assert found == []


def test_defects_are_caught_in_one_place() -> None:
    caught = {name for name, handler in nodes(ast.ExceptHandler) if _takes_all(handler)}
    suppressed = {
        name for name, call in nodes(ast.Call) if re.search(r"^(\w+\.)*suppress\(.*\bException\b", ast.unparse(call))
    }
    assert caught | suppressed == LAST_RESORT


def _takes_all(handler: ast.AST) -> bool:
    assert isinstance(handler, ast.ExceptHandler)
    kinds = ast.unparse(handler.type) if handler.type else "BaseException"
    return bool(re.search(r"\b(Base)?Exception\b", kinds)) and not _raises_again(handler)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_nothing_prints_and_no_task_is_on_its_own() -> None:
    found = []
    for name, node in nodes(ast.Call):
        assert isinstance(node, ast.Call)
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        in_a_group = name == "concurrency.py" and ast.unparse(node.func) == "self._group.create_task"
        if called in FORBIDDEN_CALLS and not in_a_group:
            found.append(f"{name}:{node.lineno}: {called}")
    assert found == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MAX_LINES


def test_a_start_loads_nothing_heavy() -> None:
    code = (
        "import sys; from sidecar import deferred; deferred.install(); import sidecar.app; print(*sorted(sys.modules))"
    )
    env = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert sorted(set(done.stdout.split()).intersection({*LATE, "_ssl", "anyio"})) == []


def test_a_worker_and_a_client_start_without_the_server() -> None:
    for module in ("sidecar.engines.llama.worker", "sidecar.cli.chat", "sidecar.cli.usage"):
        code = f"import sys, {module}; print(*sorted(sys.modules))"
        env = {"PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        loaded = set(done.stdout.split())
        assert sorted(loaded.intersection({*LATE, "sidecar.app", "sidecar.rpc", "sidecar.methods"})) == [], module

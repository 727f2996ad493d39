"""The Python client: its own tests and checks, its README's example, and scenarios on Trio."""

import re
import sys
from pathlib import Path

import pytest
from launch import launcher
from probe_python import FOLDER, probe, python
from replay import REPLAY, divergences
from toolchains import run

BIN = Path(sys.executable).parent
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
ON_TRIO = [
    "cancelled-call",
    "close-ignored",
    "close-with-streams",
    "crash-in-a-stream",
    "leave-iteration",
    "restart-configurations",
    "stderr-flood",
    "stream-unknown",
    "unread-bound",
]
"""Scenarios in which tasks, cancellation or processes matter; all of them are played with asyncio elsewhere."""


def test_the_unit_tests_pass_where_the_sidecar_is_not_installed() -> None:
    run(python(), "-c", "import importlib.util as u; assert not u.find_spec('sidecar')", cwd=FOLDER)
    assert " passed" in run(python(), "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=FOLDER)


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy", "--python-executable", "PYTHON", "src", "tests", "probe"],
        ["mypy", "--python-executable", "PYTHON", "--platform", "win32", "src"],
        ["pyright", "--pythonpath", "PYTHON"],
        ["pyright", "--pythonpath", "PYTHON", "--pythonplatform", "Windows", "src"],
    ],
    ids=" ".join,
)
def test_the_checks_find_nothing(command: list[str]) -> None:
    words = [str(python()) if word == "PYTHON" else word for word in command]
    run(BIN / words[0], *words[1:], cwd=FOLDER)


def test_it_needs_two_packages_and_no_more() -> None:
    script = "import importlib.metadata as m; print(*m.requires('llm-sidecar-client'), sep='\\n')"
    required = [line for line in run(python(), "-c", script, cwd=FOLDER).splitlines() if "extra ==" not in line]
    assert [re.split(r"\W", line)[0] for line in required] == ["anyio", "msgspec"]


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    (example,) = EXAMPLE.findall((FOLDER / "README.md").read_text("utf-8"))
    script = tmp_path / "example.py"
    script.write_text(example, "utf-8")
    output = run(python(), "-W", "error", script, cwd=tmp_path, env={"LLM_SIDECAR": str(launcher(tmp_path))})
    assert output == "Hello from the script."


@pytest.mark.parametrize("name", ON_TRIO)
def test_trio_sees_what_asyncio_sees(tmp_path: Path, name: str) -> None:
    assert divergences(["env", "PROBE_BACKEND=trio", *probe()], REPLAY / f"{name}.json", tmp_path) == []

"""The Go client: its own tests and checks, and its README's example."""

import re
import shutil
from pathlib import Path

import pytest
from launch import launcher
from probe_go import FOLDER
from toolchains import require, run

EXAMPLE = re.compile(r"```go\n(package main\n.*?)```", re.DOTALL)


def test_the_tests_pass() -> None:
    require("go")
    run("go", "test", "./...", cwd=FOLDER)


def test_the_tests_pass_under_the_race_detector() -> None:
    require("go", "gcc")
    run("go", "test", "-race", "./...", cwd=FOLDER, env={"CGO_ENABLED": "1"})


@pytest.mark.parametrize("system", ["linux", "darwin", "windows"])
def test_vet_finds_nothing_on_any_system(system: str) -> None:
    require("go")
    run("go", "vet", "./...", cwd=FOLDER, env={"GOOS": system, "CGO_ENABLED": "0"})


def test_the_source_is_formatted() -> None:
    require("gofmt")
    assert run("gofmt", "-l", ".", cwd=FOLDER) == ""


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    require("go")
    (example,) = EXAMPLE.findall((FOLDER / "README.md").read_text("utf-8"))
    (tmp_path / "main.go").write_text(example, "utf-8")
    shutil.copyfile(FOLDER / "go.mod", tmp_path / "go.mod")
    run("go", "mod", "edit", "-module", "example", "-require", "llmsidecar@v0.0.0", cwd=tmp_path)
    run("go", "mod", "edit", "-replace", f"llmsidecar={FOLDER}", cwd=tmp_path)
    assert run("gofmt", "-l", ".", cwd=tmp_path) == ""
    run("go", "vet", ".", cwd=tmp_path)
    output = run("go", "run", ".", cwd=tmp_path, env={"LLM_SIDECAR": str(launcher(tmp_path))})
    assert output == "Hello from the script."

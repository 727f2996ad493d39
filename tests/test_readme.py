"""README.md is true: its tables are those of the code, its examples run, its links lead somewhere."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import readme

ROOT = readme.README.parent
TEXT = readme.README.read_text("utf-8")
PATIENCE_S = 60


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which `llm-sidecar` is this checkout."""
    command = tmp_path / "bin" / "llm-sidecar"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sidecar "$@"\n')
    command.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }


def example(language: str) -> str:
    (code,) = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return str(code)


def run(*command: str, env: dict[str, str]) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_tables_are_those_of_the_code() -> None:
    assert readme.with_tables(TEXT) == TEXT, f"README.md is out of date: run `{readme.COMMAND}`"


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_node_example_runs(env: dict[str, str], tmp_path: Path) -> None:
    program = tmp_path / "host.mjs"
    program.write_text(example("js"), "utf-8")
    assert run("node", str(program), env=env) == "Hello from the script."


@pytest.mark.skipif(not shutil.which("rustc"), reason="rustc is not installed")
def test_the_rust_example_runs(env: dict[str, str], tmp_path: Path) -> None:
    source, program = tmp_path / "host.rs", tmp_path / "host"
    source.write_text(example("rust"), "utf-8")
    run("rustc", "--edition", "2021", "-D", "warnings", "-o", str(program), str(source), env=env)
    lines = run(str(program), env=env).splitlines()
    assert "Hello from the script." in "".join(lines)
    assert '"id":3,' in lines[-1]


def test_the_files_it_links_to_exist() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert links

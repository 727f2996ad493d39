"""README.md is true: its tables are those of the code, its examples run, its links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import readme
import toolchains

MANIFEST = """
[package]
name = "readme-host"
edition = "2021"

[dependencies]
llm-sidecar-client = {{ path = "{client}" }}
tokio = {{ version = "1", features = ["macros", "rt-multi-thread"] }}

[profile.dev]
debug = false
"""

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


def test_the_node_example_runs(env: dict[str, str], tmp_path: Path) -> None:
    client = toolchains.node_modules(toolchains.CLIENTS / "typescript")
    toolchains.run("npm", "run", "build", cwd=client)
    program = tmp_path / "host.mjs"
    program.write_text(example("js"), "utf-8")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "llm-sidecar").symlink_to(client, target_is_directory=True)
    assert run("node", str(program), env=env) == "Hello from the script."


def test_the_rust_example_runs(env: dict[str, str], tmp_path: Path) -> None:
    toolchains.require("cargo")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.rs").write_text(example("rust"), "utf-8")
    (tmp_path / "Cargo.toml").write_text(MANIFEST.format(client=toolchains.CLIENTS / "rust"), "utf-8")
    toolchains.run("cargo", "build", "--quiet", cwd=tmp_path)
    host = toolchains.CACHES["CARGO_TARGET_DIR"] / "debug" / "readme-host"
    assert run(str(host), env=env) == "Hello from the script."


def test_the_files_it_links_to_exist() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert links

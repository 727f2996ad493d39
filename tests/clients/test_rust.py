"""The Rust client: its own tests and checks, and its README's example, wherever the sidecar is."""

import os
import re
import shutil
from pathlib import Path

import pytest
from launch import launcher
from probe_rust import FOLDER, example
from toolchains import require, run

EXAMPLE = re.compile(r"```rust,no_run\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(
    "command",
    [
        ["test", "--locked"],
        ["clippy", "--locked", "--all-targets", "--", "--deny", "warnings"],
        ["fmt", "--check"],
        ["doc", "--locked", "--no-deps"],
        ["package", "--locked", "--allow-dirty", "--no-verify", "--list"],
    ],
    ids=lambda command: command[0],
)
def test_the_tests_pass_and_the_checks_find_nothing(command: list[str]) -> None:
    require("cargo")
    run("cargo", *command, cwd=FOLDER, env={"RUSTDOCFLAGS": "--deny warnings"})


def test_the_example_is_that_of_the_readme() -> None:
    text, *_ = EXAMPLE.findall((FOLDER / "README.md").read_text("utf-8"))
    assert (FOLDER / "examples" / "quickstart.rs").read_text("utf-8").endswith(f"\n\n{text}")


@pytest.mark.parametrize("place", ["variable", "beside", "folder", "path"])
def test_the_example_of_the_readme_runs_wherever_the_sidecar_is(place: str, tmp_path: Path) -> None:
    app = tmp_path / "app"
    sidecars = {"beside": app, "folder": app / "llm-sidecar"}.get(place, tmp_path / "elsewhere")
    app.mkdir()
    sidecars.mkdir(exist_ok=True)
    host = shutil.copy(example("quickstart"), app)
    sidecar = launcher(sidecars)
    settings = {"variable": {"LLM_SIDECAR": str(sidecar)}, "path": {"PATH": f"{sidecars}:{os.environ['PATH']}"}}
    assert run(host, cwd=tmp_path, env={"LLM_SIDECAR": "", **settings.get(place, {})}) == "Hello from the script."

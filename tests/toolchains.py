"""What it takes to build the clients: their tools, with all that they download and build kept inside the checkout."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[1]
BUILD: Final = ROOT / ".build"
"""Not part of the source: downloads and build products."""
CLIENTS: Final = ROOT / "clients"
BUILD_SECONDS: Final = 1500.0

CACHES: Final = {
    "CARGO_HOME": BUILD / "cargo-home",
    "CARGO_TARGET_DIR": BUILD / "cargo",
    "GOCACHE": BUILD / "go",
    "GOMODCACHE": BUILD / "go-modules",
    "npm_config_cache": BUILD / "npm",
}
SETTINGS: Final = {"GOFLAGS": "-modcacherw -mod=readonly", "GOTOOLCHAIN": "local", "CARGO_TERM_COLOR": "never"}


def environment() -> dict[str, str]:
    """Return the environment that tools run in."""
    return dict(os.environ) | {name: str(path) for name, path in CACHES.items()} | SETTINGS


def require(*programs: str) -> None:
    """Skip the test, aloud, where a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")


def run(*command: str | Path, cwd: Path, timeout: float = BUILD_SECONDS, **options: Any) -> str:
    """Run a tool that must succeed, and return what it printed."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment() | options.pop("env", {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        check=False,
        **options,
    )
    output = done.stdout.decode(errors="replace")
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{output[-8000:]}"
    return output


@cache
def node_modules(folder: Path) -> Path:
    """Install what `package-lock.json` in the folder names, and return the folder."""
    require("node", "npm")
    run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder)
    return folder

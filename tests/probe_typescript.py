"""The TypeScript client, built; and its probe."""

from functools import cache
from pathlib import Path
from typing import Final

from toolchains import CLIENTS, node_modules, run

FOLDER: Final = CLIENTS / "typescript"


@cache
def build() -> Path:
    """Compile the package, its tests and its tools, and return the package's folder."""
    folder = node_modules(FOLDER)
    for script in ("build", "build:all"):
        run("npm", "run", "--silent", script, cwd=folder)
    return folder


def probe() -> list[str]:
    """Return the command that runs the probe."""
    return ["node", str(build() / "build" / "probe" / "main.js")]

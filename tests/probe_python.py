"""The Python client in an environment of its own, without the sidecar's package; and its probe."""

import os
import sys
from functools import cache
from pathlib import Path
from typing import Final

from toolchains import BUILD, CLIENTS, run

FOLDER: Final = CLIENTS / "python"
HOME: Final = BUILD / "python-client"
PYTHON: Final = HOME / ("Scripts" if os.name == "nt" else "bin") / "python"


@cache
def python() -> Path:
    """Install the client, with what its tests need, and return the interpreter."""
    if not PYTHON.exists():
        run(sys.executable, "-m", "venv", HOME, cwd=FOLDER)
    install = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(PYTHON, *install, "--editable", ".[test]", cwd=FOLDER)
    return PYTHON


def probe() -> list[str]:
    """Build the probe, and return the command line that runs it."""
    return [str(python()), str(FOLDER / "probe" / "probe.py")]

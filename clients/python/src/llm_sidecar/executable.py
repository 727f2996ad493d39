"""Where the sidecar's executable is."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from llm_sidecar import errors

NAME: Final = "llm-sidecar"
VARIABLE: Final = "LLM_SIDECAR"
SUFFIX: Final = ".exe" if sys.platform == "win32" else ""


def find(command: str | os.PathLike[str] | None) -> str:
    """Return the executable: the one given, or the first that is found; raise `sidecar_not_found` without one."""
    chosen = os.fspath(command) if command else os.environ.get(VARIABLE)
    beside = (str(path) for path in _beside() if path.is_file() and os.access(path, os.X_OK))
    found = chosen or next(beside, None) or shutil.which(NAME)
    if not found:
        raise errors.NOT_FOUND.error(f"Neither beside {sys.executable} nor on the PATH is there {NAME}.")
    return found


def _beside() -> Iterator[Path]:
    """Yield where an app brings it along: beside its own executable, or in the folder that PyInstaller unpacks."""
    unpacked = getattr(sys, "_MEIPASS", None)
    for folder in (Path(sys.executable).parent, *([Path(unpacked)] if unpacked else [])):
        yield folder / f"{NAME}{SUFFIX}"
        yield folder / NAME / f"{NAME}{SUFFIX}"

"""The probe of the Rust client."""

from functools import cache
from pathlib import Path
from typing import Final

import toolchains

FOLDER: Final = toolchains.CLIENTS / "rust"
EXAMPLES: Final = toolchains.CACHES["CARGO_TARGET_DIR"] / "debug" / "examples"


@cache
def probe() -> list[str]:
    """Build the probe and return its command line."""
    return [str(example("probe"))]


@cache
def example(name: str) -> Path:
    """Build an example and return the path of its executable."""
    toolchains.require("cargo")
    toolchains.run("cargo", "build", "--locked", "--example", name, cwd=FOLDER)
    return EXAMPLES / name

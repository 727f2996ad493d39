"""The Go client's probe."""

from functools import cache
from typing import Final

from toolchains import BUILD, CLIENTS, require, run

FOLDER: Final = CLIENTS / "go"


@cache
def probe() -> list[str]:
    """Build the probe, and return the command that runs it."""
    require("go")
    program = BUILD / "go-probe" / "probe"
    run("go", "build", "-o", program, "./internal/probe", cwd=FOLDER)
    return [str(program)]

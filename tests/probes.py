"""The probes: for each client a program that takes the steps of a host; `protocol/replay/README.md` says which."""

from collections.abc import Callable
from typing import Final

import probe_go
import probe_python
import probe_rust
import probe_typescript

PROBES: Final[dict[str, Callable[[], list[str]]]] = {
    "typescript": probe_typescript.probe,
    "rust": probe_rust.probe,
    "python": probe_python.probe,
    "go": probe_go.probe,
}
"""Each builds a probe, or skips where its toolchain is missing, and returns the command line that runs it."""

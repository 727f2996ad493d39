"""The real sidecar, as an executable that clients are told to start."""

import sys
from pathlib import Path
from typing import Final

SIDECAR: Final = Path(sys.executable).with_name("llm-sidecar")
KEYCHAIN: Final = "PYTHON_KEYRING_BACKEND=keyring.backends.fail.Keyring"


def launcher(folder: Path) -> Path:
    """Return an executable that starts the sidecar with its data in the folder, and without a keychain."""
    script = folder / "llm-sidecar"
    script.write_text(f'#!/bin/sh\nexec env {KEYCHAIN} "{SIDECAR}" --data-dir "{folder}/data" "$@"\n', "utf-8")
    script.chmod(0o755)
    return script

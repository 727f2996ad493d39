"""Where an app's data lies: files of its own, by its name."""

from pathlib import Path
from typing import Final

PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
MAX_STEM: Final = 150
DIRECTORY: Final = "llm-sidecar"


def user_directory() -> Path:
    """Return where this system keeps a program's data."""
    from platformdirs import user_data_path  # loaded only where no folder was named

    return user_data_path(DIRECTORY, appauthor=False)


def file_name(kind: str, app: str, suffix: str) -> str:
    """Return a name that no other app has, on any file system."""
    stem = "".join(chr(byte) if byte in PLAIN else f"%{byte:02x}" for byte in app.encode("utf-8", "replace"))
    if len(stem) > MAX_STEM:
        from hashlib import sha256

        stem = f"{stem[:MAX_STEM]}-{sha256(stem.encode()).hexdigest()}"
    return f"{kind}-{stem}{suffix}"

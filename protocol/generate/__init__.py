"""Writes what follows from the sidecar's tables: the documents, samples, and the types and methods of each client.

A plugin is a module with a function `files`, which turns the `Protocol` into paths below the repository's root and
what the files there hold. What it writes for a language is formatted as the language's own formatter would.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from protocol.generate import documents, golang, python, rust, samples, typescript
from protocol.generate.model import FOLDER, Protocol, read

COMMAND: Final = "make protocol"
ROOT: Final = FOLDER.parent
PLUGINS: Final[dict[str, Callable[[Protocol], dict[str, str]]]] = {
    "typescript": typescript.files,
    "rust": rust.files,
    "python": python.files,
    "go": golang.files,
    "samples": samples.files,
}


def followers() -> dict[Path, str]:
    """Return the generated files of all plugins, as they follow from the documents."""
    protocol = read()
    return {ROOT / path: content for files in PLUGINS.values() for path, content in files(protocol).items()}


def write() -> None:
    """Write every generated file: the documents first, as all else follows from them."""
    for files in (documents.files, followers):
        for path, content in files().items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8", newline="\n")


def stale() -> list[str]:
    """Return the names of generated files that are not what they should be."""
    wanted = documents.files() | followers()
    return [
        str(path.relative_to(ROOT))
        for path, content in wanted.items()
        if not path.exists() or path.read_text("utf-8") != content
    ]

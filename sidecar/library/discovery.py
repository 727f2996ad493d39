"""Which model files there are: in the sidecar's own folder, and in those of other programs, which are only read."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from sidecar.engines.llama.parts import parts_of
from sidecar.library import names
from sidecar.library.partial import SUFFIX as PARTIAL
from sidecar.providers.stores import DEFAULT_REGISTRY, MODEL_LAYER, Layout, Store

MAX_DEPTH: Final = 6
MAX_ENTRIES: Final = 20_000
"""Files and folders that are looked at in one store."""
MAX_MANIFEST_BYTES: Final = 64 << 10
OWN: Final = "models"
DIGEST_LENGTH: Final = len("sha256:") + 64


class Found(Struct, frozen=True):
    """A model file, the first of them where there are several; `id` is how requests name it."""

    id: str
    path: Path
    source: str
    partial: bool = False
    """Whether it is still being fetched, or was not to its end."""


class _Layer(Struct, frozen=True):
    media_type: str = msgspec.field(name="mediaType", default="")
    digest: str = ""


class _Manifest(Struct, frozen=True):
    layers: list[_Layer] = []


def own(folder: Path) -> Iterator[Found]:
    """Yield the models in the sidecar's own folder, also those that are there in part."""
    whole: set[str] = set()
    unfinished: list[Found] = []
    for path, relative in _walk(folder):
        if names.is_model(relative):
            if path.name == parts_of(path.name)[0] or not _has_first(path):
                whole.add(names.model_of(relative))
                yield Found(names.model_of(relative), path, OWN)
        elif relative.endswith(PARTIAL) and names.is_model(goal := relative.removesuffix(PARTIAL)):
            unfinished.append(Found(names.model_of(goal), path.with_name(Path(goal).name), OWN, partial=True))
    for found in unfinished:
        if found.id not in whole:
            whole.add(found.id)
            yield found


def _has_first(path: Path) -> bool:
    """Tell whether the first part of a model is there, which then stands for a later one."""
    return path.with_name(parts_of(path.name)[0]).exists()


def others(store: Store) -> Iterator[Found]:
    """Yield the models that another program keeps."""
    for name, path in LAYOUTS[store.layout](store.folder):
        yield Found(f"{store.source}:{name}", path, store.source)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path, relative in _walk(folder):
        if names.is_model(relative) and path.name == parts_of(path.name)[0]:
            yield names.model_of(relative), path


def _snapshots(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of repositories, of the revision that `main` was last, where that is known."""
    for entry in _entries(folder):
        kind, _, repo = entry.name.partition("--")
        if kind != "models":
            continue
        root = Path(entry.path)
        revision = _read(root / "refs" / "main", 128).decode("ascii", "replace").strip()
        snapshots = [Path(one.path) for one in _entries(root / "snapshots") if one.name == revision or not revision]
        for snapshot in snapshots:
            for name, path in _files(snapshot):
                yield f"{repo.replace('--', '/')}/{name}", path


def _manifests(folder: Path) -> Iterator[tuple[str, Path]]:
    for path, relative in _walk(folder / "manifests"):
        try:
            manifest = msgspec.json.decode(_read(path, MAX_MANIFEST_BYTES), type=_Manifest)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        name, _, tag = relative.removeprefix(DEFAULT_REGISTRY).rpartition("/")
        for layer in manifest.layers:
            if layer.media_type == MODEL_LAYER and _is_digest(layer.digest):
                yield f"{name}:{tag}", folder / "blobs" / layer.digest.replace(":", "-")


def _is_digest(text: str) -> bool:
    kind, _, digits = text.partition(":")
    return kind == "sha256" and len(text) == DIGEST_LENGTH and digits.isalnum()


LAYOUTS: Final[dict[Layout, Callable[[Path], Iterator[tuple[str, Path]]]]] = {
    "files": _files,
    "snapshots": _snapshots,
    "manifests": _manifests,
}


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield files with their paths below `folder`, in the order of their names; links to folders are not followed."""
    left = MAX_ENTRIES
    waiting = [(folder, "", 0)]
    while waiting:
        here, prefix, depth = waiting.pop()
        for entry in _entries(here):
            left -= 1
            if left < 0:
                return
            if entry.is_dir(follow_symlinks=False):
                if depth < MAX_DEPTH:
                    waiting.append((Path(entry.path), f"{prefix}{entry.name}/", depth + 1))
            else:
                yield Path(entry.path), prefix + entry.name


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry, _ in zip(entries, range(MAX_ENTRIES), strict=False)), key=_name)
    except OSError:
        return []


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _read(path: Path, most: int) -> bytes:
    """Return what is in a small file; nothing where it cannot be read, or is no plain file."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(most)
    except OSError:
        return b""

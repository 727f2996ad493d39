"""The models on this machine: those in the sidecar's folder, and those that other programs keep."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sidecar.engines.llama.parts import parts_of
from sidecar.handler import Target
from sidecar.library import discovery
from sidecar.library.contents import Contents, is_file
from sidecar.library.discovery import Found
from sidecar.library.downloads import Downloads
from sidecar.library.partial import note_path, partial_path
from sidecar.library.waiting import off_loop
from sidecar.providers.stores import Store
from sidecar.schema.downloads import DeletedModel
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import ModelInfo

MAX_LISTED: Final = 1000
UNFINISHED: Final = "The download of this model is not finished."


class Places(Struct, frozen=True):
    """The sidecar's own folder, and those of other programs."""

    folder: Path
    stores: list[Store]


class Library:
    """Finds, describes and deletes models, and fetches further ones. `places` may take a while."""

    def __init__(self, places: Callable[[], Places], downloads: Downloads) -> None:
        self.downloads = downloads
        self._places = places
        self._contents = Contents()
        self._paths: dict[str, Path] = {}

    async def files(self, target: Target) -> list[tuple[str, ModelInfo]]:
        """Return the models that a target may mean, the configured one first, each with the path of its file."""
        return await off_loop(self._files, target)

    def _files(self, target: Target) -> list[tuple[str, ModelInfo]]:
        listed: dict[str, ModelInfo] = {}
        if target.endpoint:
            listed[target.endpoint] = self._configured(target)
        for found in self._find():
            if len(listed) < MAX_LISTED and str(found.path) not in listed:
                info = self._describe(found)
                if found.source == discovery.OWN or not info.problem:
                    listed[str(found.path)] = info
        return [(path, replace(info, provider=target.id)) for path, info in listed.items()]

    def _configured(self, target: Target) -> ModelInfo:
        info = self._contents.describe(Path(target.endpoint), target.model, "")
        if info.problem:
            raise SidecarError("model_file_invalid", info.problem)
        return replace(info, source=None)

    def _describe(self, found: Found) -> ModelInfo:
        if found.partial:
            size = sum(_size(partial_path(part)) for part in _parts(found.path))
            return ModelInfo(id=found.id, provider="", source=found.source, size_bytes=size, problem=UNFINISHED)
        return self._contents.describe(found.path, found.id, found.source)

    def _find(self) -> Iterator[Found]:
        """Yield each id once, the sidecar's own models first."""
        places = self._places()
        seen: set[str] = set()
        for models in (discovery.own(places.folder), *map(discovery.others, places.stores)):
            for found in models:
                if found.id not in seen and found.id.isprintable():
                    seen.add(found.id)
                    yield found

    async def locate(self, target: Target) -> Target:
        """Return the target with the file of the model that was named; raise `model_not_found` where there is none."""
        own = (target.config.model, Path(target.endpoint).stem if target.endpoint else None)
        if not target.model or (target.endpoint and target.model in own):
            return target
        path = self._paths.get(target.model)
        if path is None or not is_file(path):
            self._paths = await off_loop(self._found_paths)
            path = self._paths.get(target.model)
        if path is None:
            hint = "models.list tells which there are, models.download fetches others."
            message = f'There is no model "{target.model[:200]}" on this machine.'
            raise SidecarError("model_not_found", message, provider=target.id, model=target.model[:200], hint=hint)
        return replace(target, endpoint=str(path))

    def _found_paths(self) -> dict[str, Path]:
        return {found.id: found.path for found in self._find() if not found.partial}

    async def delete(self, model: str, is_loaded: Callable[[str], bool]) -> DeletedModel:
        """Delete a model of the sidecar's own, whole or not; tell what that freed."""
        if model in self.downloads.flights:
            message = f"{model} is being fetched; cancel that first."
            raise SidecarError("model_in_use", message, model=model)
        folder, found = await off_loop(self._look_up, model)
        if found is None:
            return DeletedModel(deleted=False, freed_bytes=0)
        if is_loaded(str(found.path)):
            hint = "Call models.unload first."
            raise SidecarError("model_in_use", f"{model} is in memory.", model=model, hint=hint)
        return await off_loop(_delete, folder, found.path)

    def _look_up(self, model: str) -> tuple[Path, Found | None]:
        places = self._places()
        found = next((one for one in self._find() if one.id == model), None)
        if found is not None and found.source != discovery.OWN:
            message = "This model belongs to another program, which is the one to delete it."
            raise SidecarError("path_not_allowed", message, model=model)
        return places.folder, found


def _parts(path: Path) -> list[Path]:
    return [path.with_name(name) for name in parts_of(path.name)]


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat(follow_symlinks=False).st_size
    return 0


def _delete(folder: Path, path: Path) -> DeletedModel:
    root = folder.resolve()
    if not path.parent.resolve().is_relative_to(root):
        raise SidecarError("path_not_allowed", "This model lies outside the models folder.")
    freed = 0
    try:
        for part in _parts(path):
            for file in (part, partial_path(part), note_path(part)):
                freed += _size(file)
                file.unlink(missing_ok=True)
    except OSError as error:
        raise SidecarError("path_not_allowed", f"The file cannot be deleted: {error.strerror}.") from None
    _tidy(path.parent, folder)
    return DeletedModel(deleted=True, freed_bytes=freed)


def _tidy(folder: Path, root: Path) -> None:
    """Remove the folders that are empty now."""
    with suppress(OSError):
        while folder != root:
            os.rmdir(folder)  # noqa: PTH106 - raises where something is in it
            folder = folder.parent

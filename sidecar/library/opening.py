"""Makes the library of a sidecar."""

import os
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from sidecar.app_files import user_directory
from sidecar.concurrency import TaskGroup
from sidecar.credentials import Credentials
from sidecar.engines.transport import Transport
from sidecar.library.downloads import Downloads
from sidecar.library.library import Library, Places
from sidecar.providers.hub import KEY_NAME, KEY_VARIABLE, hub
from sidecar.providers.origins import origin_of
from sidecar.providers.stores import stores
from sidecar.schema.secret import Secret


class Shelter(Struct, frozen=True, kw_only=True):
    """What a library is made of. Without `models_dir` its folder is `models` in the data directory."""

    models_dir: Path | None
    data_dir: Path | None
    credentials: Credentials
    tasks: TaskGroup
    transport: Callable[[], Transport]


def opened(shelter: Shelter) -> Library:
    """Return the library; nothing on the disk is touched yet."""

    def folder() -> Path:
        return (shelter.models_dir or (shelter.data_dir or user_directory()) / "models").absolute()

    def places() -> Places:
        return Places(folder(), stores(os.environ, Path.home()))

    async def find_key(origin: str) -> Secret | None:
        if origin != origin_of(hub()):
            return None
        saved = await shelter.credentials.get(KEY_NAME, origin)
        return saved or shelter.credentials.environment(KEY_VARIABLE)

    return Library(places, Downloads(folder, shelter.tasks, shelter.transport, find_key))

"""Modules that asyncio imports for TLS alone, loaded when they are first used: most sessions start without."""

import sys
from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType
from typing import Any, Final

DEFERRED: Final = frozenset({"ssl", "asyncio.sslproto"})

_loading: Final = RLock()


class _DeferredModule(ModuleType):
    """A module that is executed at the first look at one of its own attributes, in whichever thread."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        with _loading:
            if type(self) is _DeferredModule:
                self._load()
        return getattr(self, name)

    def _load(self) -> None:
        assert self.__spec__ is not None
        deferred = self.__spec__.loader
        assert isinstance(deferred, _DeferredLoader)
        self.__spec__.loader = self.__loader__ = deferred.loader
        deferred.loader.exec_module(self)
        object.__setattr__(self, "__class__", ModuleType)


class _DeferredLoader(Loader):
    """Creates the module and leaves the rest for later."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _DeferredModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing yet."""


class DeferringFinder:
    """Finds the modules in `DEFERRED`."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec of a module that is to be deferred, and nothing for all others."""
        if name not in DEFERRED:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _DeferredLoader(spec.loader)
        return spec


def install() -> None:
    """Defer what has not been imported yet."""
    sys.meta_path.insert(0, DeferringFinder)

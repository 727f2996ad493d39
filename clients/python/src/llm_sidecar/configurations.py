"""The configurations made through the client, to be made again for a new process."""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import UNSET, Raw, Struct, UnsetType

from llm_sidecar.encoding import decode

NULL: Final = b"null"


class _Config(Struct, frozen=True):
    provider: str
    id: str | None = None


class _Params(Struct, frozen=True):
    config: Raw | UnsetType = UNSET
    provider: str | None = None


class Configurations:
    """What `providers.configure`, `.set_active` and `.remove` have done, by the ids of the configurations."""

    def __init__(self) -> None:
        self._configs: dict[str, Raw] = {}
        self._active: str | None = None

    def note(self, method: str, params: bytes) -> None:
        """Note a call that succeeded; those of other methods change nothing."""
        match method:
            case "providers.configure":
                self._keep(decode(params, _Params))
            case "providers.set_active":
                self._active = self._keep(decode(params, _Params))
            case "providers.remove":
                self._forget(decode(params, _Params).provider)
            case _:
                pass

    def calls(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the methods, with their params, that make all of it again."""
        for id_, config in self._configs.items():
            if id_ != self._active:
                yield "providers.configure", {"config": config}
        if self._active is not None:
            known = self._active in self._configs
            yield (
                "providers.set_active",
                {"config": self._configs[self._active]} if known else {"provider": self._active},
            )

    def _keep(self, params: _Params) -> str | None:
        if params.config is UNSET or bytes(params.config) == NULL:
            return params.provider
        described = decode(params.config, _Config)
        id_ = described.id or described.provider
        self._configs[id_] = params.config.copy()
        return id_

    def _forget(self, id_: str | None) -> None:
        # A provider can stay active without a configuration of its own: then there was nothing to remove.
        if id_ is not None and self._configs.pop(id_, None) is not None and self._active == id_:
            self._active = None

"""A provider as it is configured under one id."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from sidecar.credentials import checked_header, checked_key
from sidecar.providers import provider_of
from sidecar.providers.local import LocalConfig
from sidecar.providers.origins import origin_of
from sidecar.providers.record import EngineName, Provider
from sidecar.schema.errors import SidecarError
from sidecar.schema.policies import Fallback
from sidecar.schema.providers import BaseConfig
from sidecar.schema.secret import Secret


class Instance(Struct, frozen=True):
    """A provider under an id. `config` is None where the provider needs one and none was given."""

    id: str
    record: Provider
    config: BaseConfig | None

    def endpoint(self) -> str:
        """Return where its requests go, or raise `provider_not_configured`."""
        if self.config is None:
            missing = " and ".join(field.encode_name for field in _required_settings(self.record))
            raise _lacks(self.record, missing)
        return ENDPOINTS[self.record.engine](self.record, self.config)

    def base_url(self) -> str | None:
        """Return the address of its server; None where there is no server, or none is known yet."""
        if self.record.engine != "http":
            return None
        return (self.config and self.config.base_url) or self.record.base_url

    def origin(self) -> str | None:
        """Return the origin of the server that its key is sent to, if there is one."""
        url = self.base_url()
        return origin_of(url) if url else None

    def model(self) -> str | None:
        """Return the model that is meant when a request names none."""
        configured = self.config.model if self.config else None
        if not configured and isinstance(self.config, LocalConfig) and self.config.model_path:
            return Path(self.config.model_path).stem
        return configured or self.record.default_model

    def fallback(self) -> list[Fallback]:
        """Return whom to ask instead where a request does not say."""
        return self.config.fallback if self.config else []

    def names(self) -> tuple[str, ...]:
        """Return the names under which its keys may be saved, its own one first."""
        return tuple(dict.fromkeys((self.id, self.record.id)))

    def secrets(self) -> Iterator[Secret]:
        """Return what the configuration holds that must not be shown."""
        if self.config is not None:
            yield from self.config.headers.values()
            if self.config.api_key:
                yield self.config.api_key

    def brings_key(self) -> bool:
        """Tell whether the configuration's headers do what a key is for."""
        own = {name.lower() for name in self.config.headers} if self.config else set[str]()
        return bool(own & {self.record.key_header, "authorization"})


def unconfigured(record: Provider) -> Instance:
    """Return the provider as it is without a configuration."""
    return Instance(record.id, record, None if _required_settings(record) else record.config())


def configured(config: BaseConfig) -> Instance:
    """Return what `config` describes, its values checked.

    Raise `invalid_params` or `provider_not_configured` for a configuration that cannot work.
    """
    instance = Instance(config.id or config.kind, provider_of(config), _checked(config))
    instance.endpoint()
    return instance


def own_origins(record: Provider) -> list[str]:
    """Return the origins that the provider's keys are for unless they are saved for another."""
    if record.base_url is None:
        return []
    return list(dict.fromkeys((origin_of(record.base_url), *record.origins)))


def _checked(config: BaseConfig) -> BaseConfig:
    changes: dict[str, Any] = {"headers": {checked_header(*header): header[1] for header in config.headers.items()}}
    # Forms send an empty string for what was left out.
    changes["api_key"] = checked_key(config.api_key) if config.api_key else None
    changes["base_url"] = _checked_url(config.base_url) if config.base_url else None
    if isinstance(config, LocalConfig) and config.model_path:
        changes["model_path"] = str(Path(config.model_path).expanduser().absolute())
    return msgspec.structs.replace(config, **changes)


def _checked_url(url: str) -> str:
    origin_of(url)
    if "?" in url or "#" in url:
        raise SidecarError("invalid_params", "A base_url ends before any ? or #.", param="base_url")
    return url.rstrip("/")


def _required_settings(record: Provider) -> list[msgspec.structs.FieldInfo]:
    return [field for field in msgspec.structs.fields(record.config) if field.required]


def _lacks(record: Provider, setting: str) -> SidecarError:
    message = f"{record.name} needs a configuration with {setting}."
    return SidecarError("provider_not_configured", message, provider=record.id, hint="Call providers.configure.")


def _server(record: Provider, config: BaseConfig) -> str:
    url = config.base_url or record.base_url
    if url is None:
        raise _lacks(record, "base_url")
    return url


def _model_file(record: Provider, config: BaseConfig) -> str:
    del record
    assert isinstance(config, LocalConfig)
    return config.model_path or ""


def _nowhere(record: Provider, config: BaseConfig) -> str:
    del config
    return record.id


ENDPOINTS: Final[dict[EngineName, Callable[[Provider, BaseConfig], str]]] = {
    "http": _server,
    "llama": _model_file,
    "scripted": _nowhere,
}

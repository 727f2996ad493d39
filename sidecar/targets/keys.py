"""Which key goes to an instance of a provider: its own, a saved one, or one from the environment."""

import os
from contextlib import suppress

from sidecar.credentials import Credentials
from sidecar.providers.origins import origin_of
from sidecar.providers.record import Provider
from sidecar.schema.errors import SidecarError
from sidecar.schema.providers import KeyInfo
from sidecar.schema.secret import Secret
from sidecar.targets.instance import Instance, own_origins


class Keys:
    """Looks for keys. A saved key is found only for the origin that it was saved for."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def held(self, instance: Instance) -> Secret | None:
        """Return the key that is in memory now, if any. What is in use stays known, however many keys came since."""
        for secret in instance.secrets():
            self._credentials.see(secret)
        if instance.config and instance.config.api_key:
            return instance.config.api_key
        origin = instance.origin()
        if origin is None:
            return None
        held = (self._credentials.held(name, origin) for name in instance.names())
        return next((key for key in held if key), None)

    def info(self, instance: Instance) -> KeyInfo:
        """Describe the key, as far as is known without asking the keychain."""
        if instance.config and instance.config.api_key:
            return KeyInfo("config", instance.config.api_key.masked())
        for name in instance.names():
            origin = instance.origin() or next(iter(self._credentials.origins(name)), None)
            if origin and (info := self._credentials.info(name, origin)):
                return info
        if key := self._from_environment(instance.record, instance.origin()):
            return KeyInfo("environment", key.masked())
        return KeyInfo("none")

    async def find(self, instance: Instance) -> Secret | None:
        """Return the key, asking the keychain only where it has one.

        Raise `origin_not_allowed` where there are keys for other origins only, and the keychain's errors, unless there
        is a key in the environment.
        """
        origin = instance.origin()
        if origin is None:
            return None
        refusals: list[SidecarError] = []
        for name in instance.names():
            try:
                if key := await self._credentials.key_for(name, origin):
                    return key
            except SidecarError as error:
                # Keys of other instances say nothing of one that may do without.
                if name == instance.id or instance.record.needs_key:
                    refusals.append(error)
        key = self._from_environment(instance.record, origin)
        if key is None and refusals:
            raise refusals[0]
        return key

    def _from_environment(self, record: Provider, origin: str | None) -> Secret | None:
        allowed = own_origins(record)
        if record.origin_env:
            with suppress(SidecarError):
                allowed.append(origin_of(os.environ.get(record.origin_env, "")))
        return self._credentials.environment(record.key_env) if origin in allowed else None

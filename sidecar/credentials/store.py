"""The keys of one app: saved at once in memory, then in the keychain."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from sidecar.app_files import user_directory
from sidecar.credentials import items
from sidecar.credentials.binding import Binding, checked_key, checked_name
from sidecar.credentials.index import Index
from sidecar.credentials.keychain import Keychain
from sidecar.credentials.memory import Memory, Slot
from sidecar.credentials.vault import Loader, Vault, system_vault
from sidecar.schema.credentials import KeychainState
from sidecar.schema.errors import SidecarError
from sidecar.schema.providers import KeyInfo
from sidecar.schema.secret import Secret

T = TypeVar("T")

DEFAULT_SERVICE: Final = "llm-sidecar"


class Credentials:
    """Keys by provider and origin. A key is handed out for the origin that it was saved for, and for no other.

    `save` and `delete` take effect when they are called; what they return waits for the keychain. `data_dir` is where
    the list of keys lies, the user's data directory by default. With `key_env`, environment variables count as keys.
    """

    def __init__(
        self,
        data_dir: Path | Callable[[], Path] | None = None,
        *,
        deadline_ms: int = 5_000,
        key_env: bool = False,
        load: Loader = system_vault,
    ) -> None:
        self._data_dir = data_dir or user_directory
        self._key_env = key_env
        self._keychain = Keychain(load, deadline_ms / 1000)
        self._memory = Memory()
        self._reading = asyncio.Lock()
        self._service = DEFAULT_SERVICE
        self._opened: Index | None = None

    @property
    def service(self) -> str:
        """The app's name in the keychain."""
        return self._service

    @service.setter
    def service(self, name: str) -> None:
        self._service = name or DEFAULT_SERVICE
        self._opened = None
        self._memory.clear()

    def state(self) -> KeychainState:
        """Return what is known of the keychain, without asking it."""
        return self._keychain.state

    async def probe(self) -> KeychainState:
        """Return the state of the keychain as it is now, as far as that can be told without a dialog."""
        await self._keychain.look(self._service)
        return self.state()

    def known(self) -> Iterable[str]:
        """Return the keys that may not appear in logs."""
        return self._memory.seen()

    def see(self, secret: Secret) -> None:
        """Count a key that is kept elsewhere among the known ones."""
        self._memory.see(secret)

    def environment(self, variable: str | None) -> Secret | None:
        """Return the key in an environment variable, where that is allowed and the variable holds one."""
        value = os.environ.get(variable or "") if self._key_env else None
        try:
            secret = checked_key(Secret(value or ""))
        except SidecarError:
            return None
        self._memory.see(secret)
        return secret

    def bindings(self) -> list[Binding]:
        """Return what there are keys for, as far as is known without asking the keychain."""
        found = dict.fromkeys(self._index().read())
        for binding, slot in self._memory.bindings():
            if slot.secret is None:
                found.pop(binding, None)
            elif not slot.settled:
                found[binding] = None
        return list(found)

    def origins(self, provider: str) -> list[str]:
        """Return the origins that the provider's keys are for."""
        return [binding.origin for binding in self.bindings() if binding.provider == provider]

    def held(self, provider: str, origin: str) -> Secret | None:
        """Return the key for `origin` if it is in memory."""
        slot = self._slot(Binding(provider, origin))
        return slot.secret if slot else None

    def info(self, provider: str, origin: str) -> KeyInfo | None:
        """Tell whether there is a key for `origin`, without asking the keychain."""
        binding = Binding(provider, origin)
        slot = self._slot(binding)
        if slot is None:
            return KeyInfo("keychain") if binding in self._index().read() else None
        if slot.secret is None:
            return None
        return KeyInfo("keychain" if slot.settled else "memory", slot.secret.masked())

    async def get(self, provider: str, origin: str) -> Secret | None:
        """Return the key for `origin`, if there is one. Raise `KEYCHAIN_ERRORS`."""
        return await self._find(Binding(provider, origin))

    async def key_for(self, provider: str, origin: str) -> Secret | None:
        """Return the key for `origin`, or None when the provider has none.

        Raise `origin_not_allowed` when it has keys for other origins only, and `KEYCHAIN_ERRORS`.
        """
        key = await self.get(provider, origin)
        if key is None and self.origins(provider):
            raise SidecarError(
                "origin_not_allowed",
                f'The key saved for "{provider}" is not meant for {origin}.',
                provider=provider,
                hint=f'To use a key there, save it with base_url "{origin}".',
            )
        return key

    async def listed(self) -> list[Binding]:
        """Return what there are keys for, after a look whether the keychain still has them, where that asks nobody."""
        if (await self.probe()).state == "ok" and not self._keychain.may_ask():
            with suppress(SidecarError):
                await self._reconcile()
        return self.bindings()

    async def _reconcile(self) -> None:
        """Take off the list what has left the keychain; of a key for several origins one item is read."""
        found: set[tuple[str, int]] = set()
        for binding, save in tuple(self._index().read().items()):
            if (binding.provider, save) not in found and await self._find(binding):
                found.add((binding.provider, save))

    def save(self, provider: str, origins: Sequence[str], key: Secret) -> Awaitable[None]:
        """Keep the key for `origins`. When the keychain fails, the error is raised and the key is forgotten."""
        checked_name(provider, "provider")
        secret, number = checked_key(key), time.time_ns()
        saves = {Binding(provider, origin): number for origin in origins}
        slots = {binding: Slot(secret, number) for binding in saves}
        return self._change(slots, partial(items.store, self._index(), self._service, saves, secret))

    def delete(self, provider: str, origins: Sequence[str]) -> Awaitable[bool]:
        """Delete the keys for `origins`; tell whether there was one."""
        slots = {Binding(provider, origin): Slot(None, 0) for origin in origins}
        return self._change(slots, partial(items.erase, self._index(), self._service, tuple(slots)))

    def _change(self, slots: dict[Binding, Slot], call: Callable[[Vault], T]) -> Awaitable[T]:
        for binding, slot in slots.items():
            self._memory.put(binding, slot)
        return self._finish_change(slots, call)

    async def _finish_change(self, slots: dict[Binding, Slot], call: Callable[[Vault], T]) -> T:
        settle = self._memory.drop
        try:
            result = await self._keychain.run(call)
            settle = self._memory.settle
        finally:
            for binding, slot in slots.items():
                settle(binding, slot)
        return result

    async def _find(self, binding: Binding) -> Secret | None:
        slot = self._slot(binding)
        if slot is None and binding in self._index().read():
            async with self._reading:
                return await self._fetch(binding)
        return slot.secret if slot else None

    async def _fetch(self, binding: Binding) -> Secret | None:
        slot, number = self._slot(binding), self._index().read().get(binding)
        if slot is not None or number is None:
            return slot.secret if slot else None
        value = await self._keychain.run(partial(items.fetch, self._index(), self._service, binding))
        if value is None:
            return None
        secret = Secret(value)
        if self._memory.find(binding) is None:
            self._memory.put(binding, Slot(secret, number, settled=True))
        return secret

    def _slot(self, binding: Binding) -> Slot | None:
        """Return what memory holds, unless another process has changed it since."""
        slot = self._memory.find(binding)
        if slot is not None and slot.settled and self._index().read().get(binding) != slot.save:
            self._memory.drop(binding, slot)
            return None
        return slot

    def _index(self) -> Index:
        if self._opened is None:
            directory = self._data_dir if isinstance(self._data_dir, Path) else self._data_dir()
            self._opened = Index(directory, self._service)
        return self._opened

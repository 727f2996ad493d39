"""`credentials.save`, `.get`, `.delete`, `.list`."""

from collections.abc import Awaitable
from typing import Final

from sidecar.credentials import KEYCHAIN_ERRORS, checked_key
from sidecar.methods.services import Services
from sidecar.providers.origins import origin_of
from sidecar.rpc.router import Method, Request
from sidecar.schema.credentials import (
    CredentialChoice,
    CredentialInfo,
    CredentialList,
    CredentialState,
    Deleted,
    SaveCredential,
    SavedCredential,
)
from sidecar.schema.session import Empty


def save(services: Services, params: SaveCredential, request: Request) -> Awaitable[SavedCredential]:
    """Keep a key; later requests can use it at once."""
    del request
    origins = services.targets.origins_for(params.provider, params.base_url)
    kept = services.credentials.save(params.provider, origins, params.api_key)
    return _saved(kept, SavedCredential(params.provider, checked_key(params.api_key).masked(), origins))


async def _saved(kept: Awaitable[None], saved: SavedCredential) -> SavedCredential:
    await kept
    return saved


def get(services: Services, params: CredentialChoice, request: Request) -> Awaitable[CredentialState]:
    """Show as much of a key as may be shown: of the one in use, where there are several."""
    del request
    origins = _saved_origins(services, params)
    in_use = services.targets.origin_in_use(params.provider)
    return _get(services, params.provider, sorted(origins, key=lambda origin: origin != in_use))


async def _get(services: Services, provider: str, origins: list[str]) -> CredentialState:
    for number, origin in enumerate(origins):
        if key := await services.credentials.get(provider, origin):
            return CredentialState(exists=True, masked=key.masked(), origins=origins[number:])
    return CredentialState(exists=False)


def delete(services: Services, params: CredentialChoice, request: Request) -> Deleted | Awaitable[Deleted]:
    """Delete a provider's keys, or the one for `base_url`; later requests cannot use them."""
    del request
    origins = _saved_origins(services, params)
    return _deleted(services.credentials.delete(params.provider, origins)) if origins else Deleted(deleted=False)


async def _deleted(done: Awaitable[bool]) -> Deleted:
    return Deleted(await done)


def list_(services: Services, params: Empty, request: Request) -> Awaitable[CredentialList]:
    """List the providers with keys."""
    del params, request
    return _list(services)


async def _list(services: Services) -> CredentialList:
    origins: dict[str, list[str]] = {}
    for binding in await services.credentials.listed():
        origins.setdefault(binding.provider, []).append(binding.origin)
    infos = [CredentialInfo(provider, has_api_key=True, origins=saved) for provider, saved in origins.items()]
    return CredentialList(infos, services.credentials.state())


def _saved_origins(services: Services, params: CredentialChoice) -> list[str]:
    saved = services.credentials.origins(params.provider)
    if params.base_url is None:
        return saved
    origin = origin_of(params.base_url)
    return [origin] if origin in saved else []


METHODS: Final = (
    Method(
        name="credentials.save",
        summary="Keeps a key in the system's keychain, for the origin of `base_url` or else for the provider's own.",
        params=SaveCredential,
        result=SavedCredential,
        handler=save,
        errors=("provider_not_found", *KEYCHAIN_ERRORS, "disk_full"),
    ),
    Method(
        name="credentials.get",
        summary="Tells whether there is a key, and shows as much of it as may be shown.",
        params=CredentialChoice,
        result=CredentialState,
        handler=get,
        errors=KEYCHAIN_ERRORS,
        batchable=True,
    ),
    Method(
        name="credentials.delete",
        summary="Deletes a provider's keys, or the one for `base_url`.",
        params=CredentialChoice,
        result=Deleted,
        handler=delete,
        errors=(*KEYCHAIN_ERRORS, "disk_full"),
    ),
    Method(
        name="credentials.list",
        summary="Lists the providers with keys, and tells the state of the keychain.",
        params=Empty,
        result=CredentialList,
        handler=list_,
        batchable=True,
    ),
)

"""The providers, their configurations, and the choice among them."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sidecar.credentials import KEYCHAIN_ERRORS, Credentials, checked_name
from sidecar.handler import Target
from sidecar.providers.origins import origin_of
from sidecar.providers.record import DialectName, EngineName, Provider
from sidecar.schema.errors import ErrorType, SidecarError
from sidecar.schema.policies import Privacy
from sidecar.schema.providers import BaseConfig, ConfiguredProvider, ProviderInfo
from sidecar.schema.secret import Secret
from sidecar.targets.instance import Instance, configured, own_origins, unconfigured
from sidecar.targets.keys import Keys
from sidecar.targets.privacy import ANYWHERE, forbidden

TARGET_ERRORS: Final[tuple[ErrorType, ...]] = (
    "provider_not_found",
    "provider_not_configured",
    "origin_not_allowed",
    "credential_not_found",
    "model_not_found",
    *KEYCHAIN_ERRORS,
)
"""What may be wrong with a target before anything is sent to it."""


class Choice(Struct, frozen=True, kw_only=True):
    """What a request is aimed at, as things stood when it arrived. `key` is there if it was in memory.

    `problem` is what keeps it from being asked, as far as that can be told without its key.
    """

    instance: Instance
    endpoint: str
    model: str
    key: Secret | None = None
    local_only: bool = False
    problem: SidecarError | None = None

    @property
    def provider(self) -> str:
        """The instance's id."""
        return self.instance.id


async def as_it_is(target: Target) -> Target:
    """Return a target whose model lies where its configuration says."""
    return target


class Targets:
    """The providers, their configurations by id, and the active one.

    All changes take effect at once; only `resolve` waits, for the keychain and for `locate`, which finds model files.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        credentials: Credentials,
        *,
        scripted: bool = False,
        locate: Callable[[Target], Awaitable[Target]] = as_it_is,
    ) -> None:
        self._locate = locate
        self._providers = {id_: record for id_, record in providers.items() if scripted or record.engine != "scripted"}
        self._credentials = credentials
        self._keys = Keys(credentials)
        self._configured: dict[str, Instance] = {}
        self._active: str | None = None

    def configure(self, config: BaseConfig) -> str:
        """Take the configuration in place of any other with its id, and return the id.

        Raise `invalid_params`, `provider_not_found` or `provider_not_configured` for one that cannot work.
        """
        instance = self._accept(config)
        self._configured[instance.id] = instance
        return instance.id

    def remove(self, id_: str) -> bool:
        """Forget a configuration; tell whether there was one."""
        removed = self._configured.pop(id_, None) is not None
        if removed and self._active == id_:
            self._active = None
        return removed

    def activate(self, id_: str) -> None:
        """Make the provider the one that is meant when none is named."""
        self._instance(id_).endpoint()
        self._active = id_

    def engine(self, id_: str) -> EngineName:
        """Return the name of the engine that performs calls to the provider."""
        return self._instance(id_).record.engine

    def dialects(self) -> set[DialectName]:
        """Return the dialects of all configured providers that are asked over HTTP, and of the active one."""
        ids = {*self._configured, *([self._active] if self._active else [])}
        instances = [instance for instance in map(self._instance, ids) if instance.record.engine == "http"]
        return {instance.record.speaks(instance.config) for instance in instances}

    @property
    def active(self) -> ConfiguredProvider | None:
        """The active provider, as far as it is known without asking the keychain."""
        return None if self._active is None else self.shown(self._active)

    def shown(self, id_: str) -> ConfiguredProvider:
        """Describe the provider, without asking the keychain: that may open a dialog, and nobody needs the key yet."""
        instance = self._instance(id_)
        return ConfiguredProvider(
            provider=instance.id,
            kind=instance.record.id,
            key=self._keys.info(instance),
            model=instance.model(),
            base_url=instance.base_url(),
        )

    def listed(self) -> Iterator[ProviderInfo]:
        """Describe every provider, and every further configuration, without asking the keychain."""
        for id_ in dict.fromkeys((*self._providers, *self._configured)):
            yield self._info(self._instance(id_))

    def origins_for(self, id_: str, base_url: str | None) -> list[str]:
        """Return the origins that a key saved with this `base_url` is for: that one, or else the provider's own."""
        if base_url is not None:
            return [origin_of(base_url)]
        record = self._instance(id_).record
        origins = own_origins(record)
        if not origins:
            message = f"A key for {record.name} must be saved with the base_url of the server that it is for."
            raise SidecarError("invalid_params", message, param="base_url", provider=id_)
        return origins

    def origin_in_use(self, id_: str) -> str | None:
        """Return the origin that requests to the provider go to; None where that is not known."""
        with suppress(SidecarError):
            return self._instance(id_).origin()
        return None

    def choose(self, provider: str | None, model: str | None, privacy: Privacy | None = None) -> Choice:
        """Return what a request to this provider, or else the active one, and this model is aimed at."""
        choice = self.look_up(provider, model, privacy or ANYWHERE)
        if choice.problem:
            raise choice.problem
        return choice

    def look_up(self, provider: str | None, model: str | None, privacy: Privacy) -> Choice:
        """Do as `choose`, but return also what cannot be asked; raise only where nothing is meant at all."""
        instance = self._meant(provider)
        try:
            choice = self._choice(instance, model)
        except SidecarError as error:
            return Choice(instance=instance, endpoint="", model=model or "", problem=error)
        problem = forbidden(instance, choice.endpoint, choice.model, privacy)
        if problem is None and not choice.model:
            problem = _no_model(instance)
        return replace(choice, local_only=privacy.local_only, problem=problem)

    def choose_provider(self, provider: str | None, model: str | None = None) -> Choice:
        """Do as `choose`, for what needs no model."""
        return self._choice(self._meant(provider), model)

    def choose_config(self, config: BaseConfig) -> Choice:
        """Return what a request is aimed at under a configuration that is not kept."""
        return self._choice(self._accept(config), None)

    async def resolve(self, choice: Choice) -> Target:
        """Return the target with its key. Raise `TARGET_ERRORS`, and what `choose` would have raised."""
        if choice.problem:
            raise choice.problem
        instance = choice.instance
        key = choice.key or await self._keys.find(instance)
        if key is None and instance.record.needs_key and not instance.brings_key():
            raise SidecarError(
                "credential_not_found",
                f"There is no API key for {instance.record.name}.",
                provider=instance.id,
                hint=f'Save a key for "{instance.id}" with credentials.save.',
            )
        target = replace(self.outline(choice), key=key)
        return target if target.provider.engine != "llama" else await self._locate(target)

    def outline(self, choice: Choice) -> Target:
        """Return the target as far as it is known without its key."""
        instance = choice.instance
        return Target(
            id=instance.id,
            provider=instance.record,
            config=instance.config or BaseConfig(),
            endpoint=choice.endpoint,
            model=choice.model,
            local_only=choice.local_only,
        )

    def _meant(self, provider: str | None) -> Instance:
        id_ = provider if provider is not None else self._active
        if id_ is None:
            hint = "Name a provider in the request, or call providers.set_active first."
            raise SidecarError("provider_not_configured", "No provider is active.", hint=hint)
        return self._instance(id_)

    def _choice(self, instance: Instance, model: str | None) -> Choice:
        return Choice(
            instance=instance,
            endpoint=instance.endpoint(),
            model=model or instance.model() or "",
            key=self._keys.held(instance),
        )

    def _instance(self, id_: str) -> Instance:
        if instance := self._configured.get(id_):
            return instance
        record = self._providers.get(id_)
        if record is None:
            raise _unknown(id_)
        return unconfigured(record)

    def _accept(self, config: BaseConfig) -> Instance:
        if config.kind not in self._providers:
            raise _unknown(config.kind)
        id_ = checked_name(config.id or config.kind, "id")
        if id_ != config.kind and id_ in self._providers:
            raise SidecarError("invalid_params", f'The id "{id_}" is the name of another provider.', param="id")
        instance = configured(config)
        for secret in instance.secrets():
            self._credentials.see(secret)
        return instance

    def _info(self, instance: Instance) -> ProviderInfo:
        record = instance.record
        return ProviderInfo(
            id=instance.id,
            kind=record.id,
            name=record.name,
            configured=instance.id in self._configured,
            active=instance.id == self._active,
            local=record.local,
            needs_key=record.needs_key,
            key=self._keys.info(instance),
            model=instance.model(),
            base_url=instance.base_url(),
            capabilities={offer: {} for offer in sorted(record.offers)},
        )


def _no_model(instance: Instance) -> SidecarError:
    return SidecarError(
        "provider_not_configured",
        f"No model is chosen for {instance.record.name}.",
        provider=instance.id,
        hint="Name a model in the request or in the provider's configuration; models.list tells which there are.",
    )


def _unknown(id_: str) -> SidecarError:
    hint = "providers.list tells which providers there are; providers.configure adds one."
    return SidecarError("provider_not_found", f'There is no provider "{id_[:100]}".', provider=id_[:100], hint=hint)

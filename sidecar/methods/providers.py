"""`providers.list`, `.configure`, `.remove`, `.set_active`, `.get_active`, `.test`."""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from sidecar.handler import Target
from sidecar.methods.models import successor
from sidecar.methods.services import Services
from sidecar.providers.params import ConfigParams, SetActiveParams, TestParams
from sidecar.rpc.router import Method, Request
from sidecar.schema.errors import SidecarError
from sidecar.schema.providers import (
    ActiveProvider,
    BaseConfig,
    ConfiguredProvider,
    ProviderChoice,
    ProviderList,
    Removed,
    StageName,
    TestResult,
    TestStage,
)
from sidecar.schema.session import Empty
from sidecar.targets import Choice

if TYPE_CHECKING:
    from sidecar.methods.probing import Probed

NS_PER_MS: Final = 1_000_000

STAGES: Final[dict[str, StageName]] = {
    "credential_not_found": "auth",
    "keyring_unavailable": "auth",
    "keyring_locked": "auth",
    "keyring_denied": "auth",
}
"""The stage at which a test fails before anything is sent, where that is not its configuration."""


def list_(services: Services, params: Empty, request: Request) -> ProviderList:
    """List every provider, without waiting for the keychain."""
    del params, request
    return ProviderList(list(services.targets.listed()), services.credentials.state())


def configure(services: Services, params: ConfigParams, request: Request) -> ConfiguredProvider:
    """Take a configuration."""
    del request
    id_ = services.targets.configure(params.config)
    services.engines.prefetch(services.targets.engine(id_))
    return services.targets.shown(id_)


def remove(services: Services, params: ProviderChoice, request: Request) -> Removed:
    """Forget a configuration."""
    del request
    return Removed(services.targets.remove(params.provider))


def set_active(services: Services, params: SetActiveParams, request: Request) -> ConfiguredProvider:
    """Make a provider the active one."""
    del request
    id_ = _only_one(params.config, params.provider)
    if isinstance(id_, BaseConfig):
        id_ = services.targets.configure(id_)
    if id_ is None:
        raise SidecarError("invalid_params", "Either `config` or `provider` is required.")
    services.targets.activate(id_)
    services.engines.prefetch(services.targets.engine(id_))
    return services.targets.shown(id_)


def get_active(services: Services, params: Empty, request: Request) -> ActiveProvider:
    """Tell which provider is active."""
    del params, request
    return ActiveProvider(services.targets.active)


def test(services: Services, params: TestParams, request: Request) -> TestResult | Awaitable[TestResult]:
    """Diagnose a provider, stage by stage."""
    del request
    started = time.monotonic_ns()
    subject = _only_one(params.config, params.provider)
    try:
        if isinstance(subject, BaseConfig):
            choice = services.targets.choose_config(subject)
        else:
            choice = services.targets.choose_provider(subject)
    except SidecarError as error:
        if error.type == "provider_not_found":
            raise
        id_ = (subject.id or subject.kind) if isinstance(subject, BaseConfig) else subject
        return TestResult(ok=False, provider=id_ or "", stages=[_failed("config", error, started)])
    return _test(services, choice, params)


async def _test(services: Services, choice: Choice, params: TestParams) -> TestResult:
    started = time.monotonic_ns()
    probed: Probed | None = None
    try:
        target = await services.targets.resolve(choice)
        engine = await services.engines.get(target.provider.engine)
        stages = await engine.check(target)
        if params.probe and all(stage.ok for stage in stages):
            probed = await _ask(services, target)
            stages.append(probed.stage)
    except SidecarError as error:
        stages = [_failed(STAGES.get(error.type, "config"), error, started)]
    return TestResult(
        ok=all(stage.ok for stage in stages),
        provider=choice.provider,
        stages=[_redacted(_advised(stage, choice), services.redact) for stage in stages],
        url=choice.instance.base_url(),
        model=choice.model or None,
        usage=probed.usage if probed else None,
        cost=probed.cost if probed else None,
    )


async def _ask(services: Services, target: Target) -> "Probed":
    from sidecar.methods.probing import probe  # rarely asked for

    return await probe(services.policies().chat, target)


def _advised(stage: TestStage, choice: Choice) -> TestStage:
    """Name the successor of a model that is gone."""
    if stage.error is None or stage.error.data.type != "model_not_found":
        return stage
    return replace(stage, hint=successor(choice.instance.record.id, choice.model) or stage.hint)


def _redacted(stage: TestStage, redact: Callable[[str], str]) -> TestStage:
    return replace(stage, error=stage.error and stage.error.redacted(redact), hint=stage.hint and redact(stage.hint))


def _failed(stage: StageName, error: SidecarError, started_ns: int) -> TestStage:
    ms = (time.monotonic_ns() - started_ns) // NS_PER_MS
    return TestStage(stage, ok=False, ms=ms, error=error.to_object(), hint=error.details.get("hint"))


def _only_one(config: BaseConfig | None, provider: str | None) -> BaseConfig | str | None:
    if config is not None and provider is not None:
        raise SidecarError("invalid_params", "`config` and `provider` exclude each other.")
    return provider if config is None else config


METHODS: Final = (
    Method(
        name="providers.list",
        summary="Lists every provider and every further configuration, without waiting for the keychain.",
        params=Empty,
        result=ProviderList,
        handler=list_,
        batchable=True,
    ),
    Method(
        name="providers.configure",
        summary="Takes a configuration in place of any other with its id; it is kept in memory.",
        params=ConfigParams,
        result=ConfiguredProvider,
        handler=configure,
        errors=("provider_not_found", "provider_not_configured"),
    ),
    Method(
        name="providers.remove",
        summary="Forgets a configuration; saved keys stay.",
        params=ProviderChoice,
        result=Removed,
        handler=remove,
    ),
    Method(
        name="providers.set_active",
        summary="Makes a provider the one that is meant when a request names none.",
        params=SetActiveParams,
        result=ConfiguredProvider,
        handler=set_active,
        errors=("provider_not_found", "provider_not_configured"),
    ),
    Method(
        name="providers.get_active",
        summary="Tells which provider is active.",
        params=Empty,
        result=ActiveProvider,
        handler=get_active,
        batchable=True,
    ),
    Method(
        name="providers.test",
        summary="Diagnoses a provider stage by stage, free of charge but for `probe`. A failing provider is a result, "
        "not an error.",
        params=TestParams,
        result=TestResult,
        handler=test,
        errors=("provider_not_found",),
    ),
)

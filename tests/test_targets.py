from pathlib import Path

import pytest
from keychains import FakeBackend
from keyring.errors import KeyringLocked
from msgspec.structs import replace

from sidecar.credentials import Credentials
from sidecar.handler import Target
from sidecar.providers import PROVIDERS
from sidecar.providers.azure import AzureConfig
from sidecar.providers.groq import GroqConfig
from sidecar.providers.local import LocalConfig
from sidecar.providers.ollama import OllamaConfig
from sidecar.providers.openai import OpenAIConfig
from sidecar.providers.openai_compatible import CompatibleConfig
from sidecar.providers.openrouter import OpenRouterConfig
from sidecar.providers.scripted import ScriptedConfig
from sidecar.schema.chat import Origin
from sidecar.schema.errors import SidecarError
from sidecar.schema.providers import BaseConfig, ConfiguredProvider, KeyInfo, ProviderInfo
from sidecar.schema.secret import Secret
from sidecar.targets import Targets

pytestmark = pytest.mark.anyio

KEY = Secret("sk-proj-abcdefgh12345678")
OTHER = Secret("sk-proj-zyxwvuts87654321")
OPENAI = "https://api.openai.com"
AZURE = "https://mine.openai.azure.com"


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def credentials(tmp_path: Path, backend: FakeBackend) -> Credentials:
    return Credentials(tmp_path, load=backend.loader())


@pytest.fixture
def targets(credentials: Credentials) -> Targets:
    return Targets(PROVIDERS, credentials)


def failure(targets: Targets, provider: str | None, model: str | None = "m") -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        targets.choose(provider, model)
    return caught.value


def refusal(targets: Targets, config: BaseConfig) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        targets.configure(config)
    return caught.value


async def resolve(targets: Targets, provider: str | None = None, model: str | None = "m") -> Target:
    return await targets.resolve(targets.choose(provider, model))


async def resolve_failure(targets: Targets, provider: str | None = None) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        await resolve(targets, provider)
    return caught.value


async def test_a_configuration_is_resolved_whole(targets: Targets) -> None:
    config = OpenAIConfig(api_key=KEY, model="gpt-6-sol", base_url="https://proxy.example/v1/", organization="org")
    assert targets.configure(config) == "openai"
    target = await resolve(targets, "openai", None)
    assert target == Target(
        id="openai",
        provider=PROVIDERS["openai"],
        config=replace(config, base_url="https://proxy.example/v1"),
        endpoint="https://proxy.example/v1",
        model="gpt-6-sol",
        key=KEY,
    )
    assert target.origin == Origin("openai", "https://proxy.example/v1", "gpt-6-sol")


async def test_a_provider_needs_no_configuration_where_a_key_is_saved_and_a_model_named(
    targets: Targets, credentials: Credentials
) -> None:
    await credentials.save("openai", [OPENAI], KEY)
    target = await resolve(targets, "openai", "gpt-6-sol")
    assert (target.endpoint, target.model, target.key) == ("https://api.openai.com/v1", "gpt-6-sol", KEY)


async def test_a_key_that_is_being_saved_can_be_used_at_once(
    targets: Targets, credentials: Credentials, backend: FakeBackend
) -> None:
    backend.gate.clear()
    saving = credentials.save("openai", [OPENAI], KEY)
    choice = targets.choose("openai", "gpt-6-sol")
    deleting = credentials.delete("openai", [OPENAI])
    assert (await targets.resolve(choice)).key == KEY
    assert (await resolve_failure(targets, "openai")).type == "credential_not_found"
    backend.gate.set()
    await saving
    await deleting


def test_a_choice_is_made_as_things_stood_when_it_was_made(targets: Targets) -> None:
    targets.configure(OllamaConfig(model="first"))
    targets.activate("ollama")
    choice = targets.choose(None, None)
    targets.configure(OllamaConfig(model="second"))
    assert (choice.model, targets.choose(None, None).model) == ("first", "second")


def test_an_unknown_provider_is_not_found(targets: Targets) -> None:
    error = failure(targets, "nope")
    assert (error.type, error.message, error.details["provider"]) == (
        "provider_not_found",
        'There is no provider "nope".',
        "nope",
    )


def test_without_an_active_provider_one_must_be_named(targets: Targets) -> None:
    assert (failure(targets, None).type, failure(targets, None).message) == (
        "provider_not_configured",
        "No provider is active.",
    )


def test_without_a_model_nothing_can_be_asked(targets: Targets) -> None:
    assert failure(targets, "openai", None).type == "provider_not_configured"
    assert targets.choose_provider("openai").model == ""


def test_a_model_on_this_machine_may_be_named_without_a_configuration(targets: Targets) -> None:
    assert targets.choose("local", "owner/repo/tiny").model == "owner/repo/tiny"
    assert failure(targets, "local", None).message == "No model is chosen for Local model."


@pytest.mark.parametrize(
    ("provider", "message"),
    [
        ("openai_compatible", "OpenAI-compatible server needs a configuration with base_url."),
        ("azure", "Azure OpenAI needs a configuration with base_url."),
    ],
)
def test_a_setting_that_is_missing_is_named(targets: Targets, provider: str, message: str) -> None:
    error = failure(targets, provider)
    assert (error.type, error.message) == ("provider_not_configured", message)
    with pytest.raises(SidecarError, match=message):
        targets.activate(provider)


def test_a_configuration_that_cannot_work_is_not_taken(targets: Targets) -> None:
    targets.configure(CompatibleConfig(base_url="http://127.0.0.1:1/v1", model="m"))
    assert refusal(targets, CompatibleConfig()).type == "provider_not_configured"
    assert targets.choose("openai_compatible", None).endpoint == "http://127.0.0.1:1/v1"


@pytest.mark.parametrize(
    "config",
    [
        OpenAIConfig(base_url="api.openai.com"),
        OpenAIConfig(base_url="file:///etc/passwd"),
        OpenAIConfig(base_url="https://user:secret-key-value@api.openai.com/v1"),
        OpenAIConfig(base_url="https://api.openai.com/v1?api-key=secret-key-value"),
        OpenAIConfig(base_url="https://api.openai.com/v1#secret-key-value"),
        OpenAIConfig(api_key=Secret("secret-key-value\nInjected: yes")),
        OpenAIConfig(headers={"x-extra": Secret("secret-key-value\r\nInjected: yes")}),
        OpenAIConfig(headers={"x extra": Secret("secret-key-value")}),
        OpenAIConfig(id="groq"),
        OpenAIConfig(id="x" * 300),
        OpenAIConfig(id="two\nlines"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_without_repeating_secrets(targets: Targets, config: BaseConfig) -> None:
    error = refusal(targets, config)
    assert error.type == "invalid_params"
    assert "secret-key-value" not in repr(error.to_object())
    assert [info.id for info in targets.listed() if info.configured] == []


def test_an_empty_string_is_no_key_and_no_address(targets: Targets) -> None:
    targets.configure(OllamaConfig(api_key=Secret(""), base_url="", model="m"))
    choice = targets.choose("ollama", None)
    assert (choice.key, choice.endpoint) == (None, "http://127.0.0.1:11434/v1")


def test_an_openai_configuration_on_an_azure_host_is_azures(targets: Targets) -> None:
    targets.configure(OpenAIConfig(base_url=AZURE, api_key=KEY, model="my-deployment"))
    choice = targets.choose("openai", None)
    assert (choice.instance.record, choice.provider) == (PROVIDERS["azure"], "openai")


def test_several_instances_of_a_provider_live_side_by_side(targets: Targets) -> None:
    targets.configure(CompatibleConfig(id="one", base_url="http://127.0.0.1:1/v1", model="a"))
    targets.configure(CompatibleConfig(id="two", base_url="http://127.0.0.1:2/v1", model="b"))
    assert [targets.choose(id_, None).endpoint for id_ in ("one", "two")] == [
        "http://127.0.0.1:1/v1",
        "http://127.0.0.1:2/v1",
    ]


def test_a_local_model_is_named_after_its_file(
    targets: Targets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    targets.configure(LocalConfig(model_path="models/Qwen3-4B-Q4_K_M.gguf"))
    monkeypatch.chdir("/")
    choice = targets.choose("local", None)
    assert choice.endpoint == str(tmp_path / "models/Qwen3-4B-Q4_K_M.gguf")
    assert choice.model == "Qwen3-4B-Q4_K_M"
    assert targets.choose("local", "mine").model == "mine"


async def test_the_scripted_provider_is_there_only_when_it_is_asked_for(credentials: Credentials) -> None:
    without, with_it = Targets(PROVIDERS, credentials), Targets(PROVIDERS, credentials, scripted=True)
    assert failure(without, "scripted").type == "provider_not_found"
    assert refusal(without, ScriptedConfig()).type == "provider_not_found"
    assert [info.id for info in without.listed() if info.id == "scripted"] == []
    target = await resolve(with_it, "scripted", None)
    assert (target.model, target.key) == ("script-1", None)


async def test_a_front_end_that_changes_the_address_does_not_get_the_key(
    targets: Targets, credentials: Credentials
) -> None:
    await credentials.save("openai", [OPENAI], KEY)
    targets.configure(OpenAIConfig(base_url="https://evil.example/v1"))
    error = await resolve_failure(targets, "openai")
    assert error.type == "origin_not_allowed"
    assert error.details["hint"] == 'To use a key there, save it with base_url "https://evil.example".'
    assert KEY.reveal() not in repr(error.to_object())


async def test_a_new_id_does_not_get_the_key_for_another_address_either(
    targets: Targets, credentials: Credentials
) -> None:
    await credentials.save("openai", [OPENAI], KEY)
    targets.configure(OpenAIConfig(id="innocent", base_url="https://evil.example/v1"))
    assert (await resolve_failure(targets, "innocent")).type == "origin_not_allowed"


async def test_an_instance_uses_its_own_key_before_its_providers(targets: Targets, credentials: Credentials) -> None:
    targets.configure(OpenAIConfig(id="work"))
    await credentials.save("openai", [OPENAI], KEY)
    assert (await resolve(targets, "work")).key == KEY
    await credentials.save("work", [OPENAI], OTHER)
    assert (await resolve(targets, "work")).key == OTHER


async def test_a_key_in_the_configuration_goes_to_its_own_address_and_is_not_kept(
    targets: Targets, credentials: Credentials, backend: FakeBackend
) -> None:
    targets.configure(OpenAIConfig(base_url="https://proxy.example/v1", api_key=KEY))
    assert (await resolve(targets, "openai")).key == KEY
    assert (backend.calls, credentials.bindings()) == ([], [])
    assert list(credentials.known()) == [KEY.reveal()]


async def test_a_server_that_may_do_without_a_key_gets_none(targets: Targets, credentials: Credentials) -> None:
    await credentials.save("openai_compatible", ["https://a.example"], KEY)
    targets.configure(CompatibleConfig(id="b", base_url="https://b.example/v1"))
    assert (await resolve(targets, "b")).key is None


async def test_a_provider_without_its_key_says_how_to_save_one(targets: Targets) -> None:
    error = await resolve_failure(targets, "groq")
    assert (error.type, error.message, error.details) == (
        "credential_not_found",
        "There is no API key for Groq.",
        {"provider": "groq", "hint": 'Save a key for "groq" with credentials.save.'},
    )


async def test_a_header_can_do_what_a_key_is_for(targets: Targets) -> None:
    targets.configure(OpenAIConfig(headers={"Authorization": Secret("Bearer something")}))
    assert (await resolve(targets, "openai")).key is None


async def test_a_locked_keychain_is_told(credentials: Credentials, tmp_path: Path) -> None:
    await credentials.save("groq", ["https://api.groq.com"], KEY)
    locked = FakeBackend()
    locked.failure = KeyringLocked()
    later = Targets(PROVIDERS, Credentials(tmp_path, load=locked.loader()))
    assert (await resolve_failure(later, "groq")).type == "keyring_locked"


class TestKeysFromTheEnvironment:
    @pytest.fixture
    def targets(self, tmp_path: Path, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> Targets:
        monkeypatch.setenv("OPENAI_API_KEY", KEY.reveal())
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", OTHER.reveal())
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"{AZURE}/")
        return Targets(PROVIDERS, Credentials(tmp_path, key_env=True, load=backend.loader()))

    async def test_they_are_used_where_none_is_saved(self, targets: Targets) -> None:
        assert (await resolve(targets, "openai")).key == KEY
        assert targets.shown("openai") == ConfiguredProvider(
            provider="openai",
            kind="openai",
            key=KeyInfo("environment", "sk-proj-…5678"),
            base_url="https://api.openai.com/v1",
        )

    async def test_they_go_to_the_providers_own_servers_only(self, targets: Targets) -> None:
        targets.configure(OpenAIConfig(base_url="https://eu.api.openai.com/v1"))
        assert (await resolve(targets, "openai")).key == KEY
        targets.configure(OpenAIConfig(base_url="https://evil.example/v1"))
        assert (await resolve_failure(targets, "openai")).type == "credential_not_found"

    async def test_azures_goes_to_the_endpoint_that_the_environment_names(self, targets: Targets) -> None:
        targets.configure(AzureConfig(base_url=AZURE))
        assert (await resolve(targets, "azure")).key == OTHER
        targets.configure(AzureConfig(base_url="https://theirs.openai.azure.com"))
        assert (await resolve_failure(targets, "azure")).type == "credential_not_found"

    async def test_they_count_for_nothing_unless_allowed(self, targets: Targets, credentials: Credentials) -> None:
        del targets
        assert (await resolve_failure(Targets(PROVIDERS, credentials), "openai")).type == "credential_not_found"


@pytest.mark.parametrize("name", ["openai", "openrouter", "groq", "mistral", "deepseek", "together"])
def test_each_providers_variable_has_its_usual_name(name: str) -> None:
    assert PROVIDERS[name].key_env == f"{name.upper()}_API_KEY"


async def test_a_description_shows_a_saved_key_masked_once_it_was_used(
    credentials: Credentials, backend: FakeBackend, tmp_path: Path
) -> None:
    await credentials.save("openrouter", ["https://openrouter.ai"], KEY)
    backend.calls.clear()
    later = Targets(PROVIDERS, Credentials(tmp_path, load=backend.loader()))
    later.activate(later.configure(OpenRouterConfig(model="auto")))
    known = ConfiguredProvider(
        provider="openrouter",
        kind="openrouter",
        key=KeyInfo("keychain"),
        model="auto",
        base_url="https://openrouter.ai/api/v1",
    )
    assert (later.shown("openrouter"), later.active, backend.calls) == (known, known, [])
    assert (await resolve(later, "openrouter")).key == KEY
    masked = replace(known, key=KeyInfo("keychain", "sk-proj-…5678"))
    assert (later.shown("openrouter"), later.active) == (masked, masked)


def test_the_list_has_every_provider_and_every_further_configuration(targets: Targets) -> None:
    targets.configure(GroqConfig(api_key=KEY, model="llama"))
    targets.configure(CompatibleConfig(id="mine", base_url="http://127.0.0.1:1/v1"))
    targets.activate("mine")
    listed = {info.id: info for info in targets.listed()}
    assert set(listed) == (set(PROVIDERS) - {"scripted"}) | {"mine"}
    assert listed["groq"] == ProviderInfo(
        id="groq",
        kind="groq",
        name="Groq",
        configured=True,
        active=False,
        local=False,
        needs_key=True,
        key=KeyInfo("config", "sk-proj-…5678"),
        model="llama",
        base_url=PROVIDERS["groq"].base_url,
        capabilities={"chat": {}},
    )
    assert listed["mine"] == ProviderInfo(
        id="mine",
        kind="openai_compatible",
        name="OpenAI-compatible server",
        configured=True,
        active=True,
        local=False,
        needs_key=False,
        key=KeyInfo("none"),
        base_url="http://127.0.0.1:1/v1",
        capabilities={"chat": {}, "embeddings": {}},
    )


def test_a_removed_configuration_is_no_longer_active(targets: Targets) -> None:
    targets.configure(CompatibleConfig(id="mine", base_url="http://127.0.0.1:1/v1"))
    targets.activate("mine")
    assert (targets.remove("mine"), targets.active, targets.remove("mine")) == (True, None, False)
    assert failure(targets, "mine").type == "provider_not_found"


def test_a_key_is_saved_for_its_address_or_else_for_the_providers_own(targets: Targets) -> None:
    assert targets.origins_for("groq", None) == ["https://api.groq.com"]
    assert targets.origins_for("openai", None)[:2] == [OPENAI, "https://us.api.openai.com"]
    assert targets.origins_for("groq", "https://proxy.example:8443/v1") == ["https://proxy.example:8443"]
    assert targets.origins_for("not yet configured", "http://10.0.0.1/v1") == ["http://10.0.0.1"]


@pytest.mark.parametrize(
    ("provider", "expected"),
    [("nope", "provider_not_found"), ("openai_compatible", "invalid_params"), ("azure", "invalid_params")],
)
def test_a_key_needs_an_address_where_the_provider_has_none(targets: Targets, provider: str, expected: str) -> None:
    with pytest.raises(SidecarError) as caught:
        targets.origins_for(provider, None)
    assert caught.value.type == expected

from typing import Any, get_args

import pytest

from sidecar.dialects.contract import Aim
from sidecar.dialects.named import dialect
from sidecar.providers import PROVIDERS, ProviderConfig, provider_of
from sidecar.providers.azure import AzureConfig
from sidecar.providers.openai import OpenAIConfig
from sidecar.providers.openai_compatible import CompatibleConfig
from sidecar.providers.openrouter import OpenRouterConfig
from sidecar.providers.origins import origin_of
from sidecar.providers.record import Place, Provider
from sidecar.schema.chat import ChatRequest, Message, Origin
from sidecar.schema.providers import BaseConfig

CHAT = "/chat/completions"


def url(config: BaseConfig, path: str = CHAT, model: str = "m-1") -> str:
    record = provider_of(config)
    return record.url(Place(config, config.base_url or record.base_url, model), path)  # type: ignore[arg-type]


def test_every_configuration_has_a_provider_of_its_name() -> None:
    tags = {kind.__struct_config__.tag: kind for kind in get_args(ProviderConfig)}
    assert {name: record.config for name, record in PROVIDERS.items()} == tags
    assert [record.id for record in PROVIDERS.values()] == list(PROVIDERS)


@pytest.mark.parametrize("record", PROVIDERS.values(), ids=lambda record: record.id)
def test_records_hold_addresses_as_they_are_compared(record: Any) -> None:
    assert record.origins == tuple(origin_of(origin) for origin in record.origins)
    assert record.base_url is None or record.base_url == record.base_url.rstrip("/")
    assert record.base_url is None or origin_of(record.base_url) in record.base_url


@pytest.mark.parametrize("record", PROVIDERS.values(), ids=lambda record: record.id)
def test_what_runs_on_this_machine_is_free_and_needs_no_key(record: Any) -> None:
    free = record.local and record.id != "scripted"  # which costs what a script says
    assert (record.free, record.needs_key) == (free, record.needs_key and not record.local)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        (None, "https://api.openai.com/v1/chat/completions"),
        ("https://eu.api.openai.com/v1/", "https://eu.api.openai.com/v1/chat/completions"),
        ("https://gateway.example/openai", "https://gateway.example/openai/chat/completions"),
        ("https://RES.openai.azure.com", "https://RES.openai.azure.com/openai/v1/chat/completions"),
        (
            "https://res.services.ai.azure.com/openai/v1/",
            "https://res.services.ai.azure.com/openai/v1/chat/completions",
        ),
    ],
)
def test_a_path_lies_below_the_base_url_as_given(base_url: str | None, expected: str) -> None:
    assert url(OpenAIConfig(base_url=base_url)) == expected


@pytest.mark.parametrize(
    "base_url",
    [
        "https://res.openai.azure.com",
        "https://res.openai.azure.com/",
        "https://res.openai.azure.com/openai",
        "https://res.openai.azure.com/openai/v1",
        "https://res.openai.azure.com/openai/v1/",
    ],
)
def test_azure_takes_the_resource_or_its_api(base_url: str) -> None:
    assert url(AzureConfig(base_url=base_url)) == "https://res.openai.azure.com/openai/v1/chat/completions"
    legacy = AzureConfig(base_url=base_url, api_version="2024-10-21")
    assert url(legacy, model="my gpt/4") == (
        "https://res.openai.azure.com/openai/deployments/my%20gpt%2F4/chat/completions?api-version=2024-10-21"
    )
    assert url(legacy, "/models") == "https://res.openai.azure.com/openai/models?api-version=2024-10-21"


def test_azure_behind_a_gateway_keeps_the_gateways_path() -> None:
    config = AzureConfig(base_url="https://gateway.example/team/openai/v1")
    assert url(config) == "https://gateway.example/team/openai/v1/chat/completions"


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (OpenAIConfig(), "openai"),
        (OpenAIConfig(base_url="https://res.openai.azure.com/openai/v1"), "azure"),
        (OpenAIConfig(base_url="https://RES.Services.AI.Azure.com"), "azure"),
        (OpenAIConfig(base_url="https://openai.azure.com.evil.example"), "openai"),
        (CompatibleConfig(base_url="https://res.openai.azure.com"), "openai_compatible"),
        (AzureConfig(base_url="https://gateway.example"), "azure"),
    ],
)
def test_an_azure_host_makes_an_openai_configuration_azures(config: BaseConfig, name: str) -> None:
    assert provider_of(config).id == name


def test_azure_takes_its_key_in_a_header_of_its_own() -> None:
    record = PROVIDERS["azure"]
    assert (record.key_header, record.key_prefix) == ("api-key", "")
    assert record.headers(OpenAIConfig(organization="org-1")) == {}


def test_openai_is_told_who_pays() -> None:
    headers = PROVIDERS["openai"].headers
    assert headers(OpenAIConfig()) == {}
    assert headers(OpenAIConfig(organization="org-1", project="proj-1")) == {
        "openai-organization": "org-1",
        "openai-project": "proj-1",
    }


def test_openrouter_is_told_which_app_asks() -> None:
    headers = PROVIDERS["openrouter"].headers
    assert headers(OpenRouterConfig()) == {}
    assert headers(OpenRouterConfig(site_url="https://app.example", app_name="App")) == {
        "http-referer": "https://app.example",
        "x-openrouter-title": "App",
    }


def test_only_the_general_providers_need_a_base_url() -> None:
    assert {name for name, record in PROVIDERS.items() if record.engine == "http" and record.base_url is None} == {
        "azure",
        "openai_compatible",
    }


@pytest.mark.parametrize("record", PROVIDERS.values(), ids=lambda record: record.id)
def test_who_offers_to_count_tokens_has_a_way_to_ask_for_it(record: Provider) -> None:
    if record.engine != "http":
        assert "token_count" not in record.offers
        return
    config = record.config()
    aim = Aim(provider=record.id, kind=record.id, model="m", origin=Origin("a", "b", "c"), quirks=record.quirks)
    asked = dialect(record.speaks(config)).encode_count(ChatRequest(messages=[Message("user", "Hi")]), aim)
    assert (asked is not None) == ("token_count" in record.offers)

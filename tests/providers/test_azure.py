import pytest

from sidecar.dialects.traits import UNKNOWN
from sidecar.providers import PROVIDERS
from sidecar.providers.azure import AzureConfig
from sidecar.providers.openai import OpenAIConfig
from sidecar.providers.openai_models import on_chat, on_responses
from sidecar.providers.record import Place
from sidecar.schema.providers import BaseConfig

RECORD = PROVIDERS["azure"]
RESOURCE = "https://res.openai.azure.com"


@pytest.mark.parametrize(
    ("config", "dialect"),
    [
        (AzureConfig(), "openai_responses"),
        (AzureConfig(api="chat"), "openai_chat"),
        (AzureConfig(api_version="2024-10-21"), "openai_chat"),
        (OpenAIConfig(base_url=RESOURCE), "openai_responses"),
        (OpenAIConfig(base_url=RESOURCE, api="chat"), "openai_chat"),
    ],
)
def test_responses_are_spoken_unless_chat_or_the_legacy_paths_are_asked_for(config: BaseConfig, dialect: str) -> None:
    assert RECORD.speaks(config) == dialect
    known = on_chat("gpt-5.5") if dialect == "openai_chat" else on_responses("gpt-5.5")
    assert RECORD.traits(config, "gpt-5.5") == known != UNKNOWN


def test_responses_lie_beside_the_deployments() -> None:
    assert RECORD.url(Place(AzureConfig(), RESOURCE, "d"), "/responses") == f"{RESOURCE}/openai/v1/responses"


@pytest.mark.parametrize("name", ["gpt-5-mini", "prod-gpt-5-mini", "gpt-5-mini_eu", "team_gpt-5"])
def test_a_deployment_named_after_a_model_takes_what_that_takes(name: str) -> None:
    assert RECORD.traits(AzureConfig(), name) == on_responses("gpt-5")


def test_nothing_is_known_of_a_deployment_of_another_name() -> None:
    assert RECORD.traits(AzureConfig(), "summaries") == UNKNOWN


def test_tokens_of_the_directory_are_told_from_keys() -> None:
    assert (RECORD.bearer_prefixes, RECORD.key_header) == (("eyJ",), "api-key")

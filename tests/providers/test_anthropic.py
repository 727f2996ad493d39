"""Anthropic's record, and what its models take."""

import pytest

from sidecar.dialects.traits import UNKNOWN, ModelTraits
from sidecar.providers.anthropic import ANTHROPIC, AnthropicConfig
from sidecar.providers.anthropic_models import ALWAYS, BUDGETED, EARLIER, FREE, SWITCHED, UNFORCED, traits_of
from sidecar.providers.record import Place


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.anthropic.com",
        "https://api.anthropic.com/",
        "https://api.anthropic.com/v1",
        "https://api.anthropic.com/v1/",
    ],
)
def test_the_base_url_may_name_the_version(base_url: str) -> None:
    place = Place(AnthropicConfig(), base_url, "claude-sonnet-5-5")
    assert ANTHROPIC.url(place, "/v1/messages") == "https://api.anthropic.com/v1/messages"


def test_a_gateway_keeps_its_path() -> None:
    place = Place(AnthropicConfig(), "https://gateway.example/claude/v1", "m")
    assert ANTHROPIC.url(place, "/v1/models?limit=1000") == "https://gateway.example/claude/v1/models?limit=1000"


def test_the_version_is_always_named() -> None:
    assert ANTHROPIC.headers(AnthropicConfig()) == {"anthropic-version": "2023-06-01"}
    config = AnthropicConfig(api_version="2026-10-21", betas=["a-1", "b-2"], workspace_id="wrkspc_1")
    assert ANTHROPIC.headers(config) == {
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "a-1,b-2",
        "anthropic-workspace-id": "wrkspc_1",
    }


def test_keys_have_a_header_of_their_own_and_tokens_are_bearers() -> None:
    assert (ANTHROPIC.key_header, ANTHROPIC.key_prefix) == ("x-api-key", "")
    assert "sk-ant-oat01-abc".startswith(ANTHROPIC.bearer_prefixes)
    assert not "sk-ant-api03-abc".startswith(ANTHROPIC.bearer_prefixes)


@pytest.mark.parametrize(
    ("model", "traits"),
    [
        ("claude-opus-5-5", UNFORCED),
        ("claude-opus-5-5-20260901", UNFORCED),
        ("claude-haiku-5-5", SWITCHED),
        ("claude-opus-5", BUDGETED),
        ("claude-fable-5-1", UNFORCED),
        ("claude-fable-5-2", UNFORCED),
        ("claude-fable-5", ALWAYS),
        ("claude-opus-4-8", BUDGETED),
        ("claude-sonnet-5", BUDGETED),
        ("claude-sonnet-4-6", FREE),
        ("claude-sonnet-4-5-20250929", EARLIER),
        ("claude-haiku-4-5", EARLIER),
        ("anthropic/claude-opus-4.6", FREE),
        ("claude-mythos-6", BUDGETED),
        ("deepseek-v4-pro", UNKNOWN),
    ],
)
def test_a_model_is_known_by_its_id(model: str, traits: ModelTraits) -> None:
    assert ANTHROPIC.traits(AnthropicConfig(), model) == traits


def test_the_newest_models_cannot_be_kept_from_thinking() -> None:
    assert traits_of("claude-sonnet-5-5").efforts == ("minimal", "low", "medium", "high", "xhigh", "max")
    assert traits_of("claude-opus-5-5").efforts == ("low", "medium", "high", "xhigh", "max")
    assert traits_of("claude-haiku-5-5").efforts == ("none", "low", "medium", "high", "xhigh", "max")


@pytest.mark.parametrize("version", ["2026-10-21", "2027-02-01"])
def test_newer_versions_of_the_api_take_no_sampling(version: str) -> None:
    config = AnthropicConfig(api_version=version)
    assert ANTHROPIC.traits(config, "claude-haiku-4-5").sampling == "never"
    assert ANTHROPIC.traits(config, "other").sampling == "never"
    assert ANTHROPIC.traits(AnthropicConfig(), "claude-haiku-4-5").sampling == "one_of_two"

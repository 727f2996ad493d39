"""Where a request may go is told from names alone."""

from typing import Any

import pytest

from sidecar.providers import PROVIDERS
from sidecar.providers.local import LocalConfig
from sidecar.providers.ollama import OllamaConfig
from sidecar.providers.openai import OpenAIConfig
from sidecar.providers.openai_compatible import CompatibleConfig
from sidecar.providers.scripted import ScriptedConfig
from sidecar.schema.chat import ChatRequest, File, Message, ProviderTool, Text, ToolResult, UrlSource
from sidecar.schema.errors import SidecarError
from sidecar.schema.policies import Privacy
from sidecar.schema.providers import BaseConfig
from sidecar.targets.instance import configured
from sidecar.targets.privacy import check_question, forbidden

LOCAL = Privacy(local_only=True)
PICTURE = File("image/png", UrlSource("https://example.org/a.png"))


def verdict(config: BaseConfig, privacy: Privacy, model: str = "m") -> str | None:
    instance = configured(config)
    error = forbidden(instance, instance.endpoint(), model, privacy)
    if error is None:
        return None
    assert (error.type, error.details) == ("privacy_blocked", {"provider": instance.id})
    return error.message


def server(url: str) -> CompatibleConfig:
    return CompatibleConfig(base_url=url)


@pytest.mark.parametrize(
    "config",
    [
        LocalConfig(model_path="/m.gguf"),
        ScriptedConfig(),
        OllamaConfig(),
        server("http://127.0.0.1:8000/v1"),
        server("http://127.8.9.1/v1"),
        server("http://[::1]:8000/v1"),
        server("http://[::ffff:127.0.0.1]:8000/v1"),
        server("http://localhost:8000/v1"),
        server("https://Model.LocalHost/v1"),
        OpenAIConfig(base_url="http://localhost:9/v1"),
    ],
    ids=lambda config: config.base_url or config.kind,
)
def test_what_runs_on_this_machine_may_be_asked(config: BaseConfig) -> None:
    assert verdict(config, LOCAL) is None


@pytest.mark.parametrize(
    ("config", "host"),
    [
        (OpenAIConfig(), "api.openai.com"),
        (OllamaConfig(base_url="http://192.168.0.7:11434/v1"), "192.168.0.7:11434"),
        (server("http://models.test/v1"), "models.test"),
        (server("http://localhost.example.org/v1"), "localhost.example.org"),
        (server("http://mylocalhost/v1"), "mylocalhost"),
        (server("http://0.0.0.0:8000/v1"), "0.0.0.0:8000"),
        (server("http://127.1/v1"), "127.1"),
        (server("http://2130706433/v1"), "2130706433"),
        (server("http://[::ffff:10.0.0.1]/v1"), "[::ffff:10.0.0.1]"),
        (server("http://127.0.0.1.nip.io/v1"), "127.0.0.1.nip.io"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_for_certain_run_here_may_not(config: BaseConfig, host: str) -> None:
    assert verdict(config, LOCAL) == f"The request may not leave this machine, and {host} is not on it."
    assert verdict(config, Privacy()) is None


@pytest.mark.parametrize(
    "model", ["gpt-oss:120b-cloud", "glm-5.2:cloud", "GLM:Cloud", "team/glm: cloud ", "a:8b-cloud:local"]
)
@pytest.mark.parametrize("config", [OllamaConfig(), server("http://localhost:11434/v1")], ids=["own", "compatible"])
def test_a_model_that_its_server_hands_on_may_not(config: BaseConfig, model: str) -> None:
    message = verdict(config, LOCAL, model)
    assert message is not None
    assert message.endswith(f"does not run {model} on this machine, but hands it on.")
    assert verdict(config, Privacy(), model) is None


@pytest.mark.parametrize(
    "model", ["cloud", "cloud-7b", "a:cloudy", "a:8b-cloudless", "my-cloud", "a:cloud/b", "", "a:8b"]
)
def test_a_model_whose_name_merely_resembles_such_may_be_asked(model: str) -> None:
    assert verdict(OllamaConfig(), LOCAL, model) is None


@pytest.mark.parametrize("config", [LocalConfig(model_path="/m.gguf"), ScriptedConfig()], ids=["local", "scripted"])
def test_what_runs_in_here_hands_nothing_on(config: BaseConfig) -> None:
    assert verdict(config, LOCAL, "a:cloud") is None


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        (None, None),
        (["ollama", "work"], None),
        (["ollama"], 'The request may not go to "work".'),
        (["openai"], 'The request may not go to "work".'),
        ([], 'The request may not go to "work".'),
    ],
)
def test_who_is_allowed_is_told_by_ids(allowed: list[str] | None, message: str | None) -> None:
    assert verdict(OpenAIConfig(id="work"), Privacy(allow_providers=allowed)) == message


def test_both_wishes_hold() -> None:
    both = Privacy(local_only=True, allow_providers=["openai", "local"])
    assert verdict(OpenAIConfig(), both) == "The request may not leave this machine, and api.openai.com is not on it."
    assert verdict(OllamaConfig(), both) == 'The request may not go to "ollama".'
    assert verdict(LocalConfig(model_path="/m.gguf"), both) is None


def asking(*content: Any, **options: Any) -> ChatRequest:
    return ChatRequest(messages=[Message("user", list(content))], **options)


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (asking(Text("What is this?"), PICTURE, privacy=LOCAL), "messages"),
        (asking(ToolResult("1", [PICTURE]), privacy=LOCAL), "messages"),
        (asking(tools=[ProviderTool({"type": "web_search"})], privacy=LOCAL), "tools"),
    ],
    ids=["file", "file in a result", "tool"],
)
def test_nothing_may_be_fetched_for_a_request_that_stays_here(request_: ChatRequest, param: str) -> None:
    with pytest.raises(SidecarError) as caught:
        check_question(request_)
    assert (caught.value.type, caught.value.details) == ("privacy_blocked", {"param": param})


@pytest.mark.parametrize(
    "request_",
    [
        asking(PICTURE),
        asking(PICTURE, privacy=Privacy(allow_providers=["openai"])),
        asking(Text("https://example.org"), ToolResult("1", "https://example.org"), privacy=LOCAL),
        ChatRequest(messages=[Message("user", "https://example.org")], privacy=LOCAL),
    ],
    ids=["anywhere", "allowed", "words", "plain"],
)
def test_other_requests_are_not_looked_into(request_: ChatRequest) -> None:
    check_question(request_)


def test_every_provider_on_another_machine_is_refused() -> None:
    for record in PROVIDERS.values():
        if record.base_url is not None and not record.local:
            assert verdict(record.config(), LOCAL) is not None

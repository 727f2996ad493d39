"""Whom a question is to be asked, as things stand when it arrives."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from keychains import FakeBackend

from sidecar.credentials import Credentials
from sidecar.handler import Candidate, Target
from sidecar.providers import PROVIDERS
from sidecar.providers.ollama import OllamaConfig
from sidecar.providers.openai import OpenAIConfig
from sidecar.schema.chat import ChatRequest, Message, Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.policies import Fallback, Privacy
from sidecar.schema.secret import Secret
from sidecar.targets import Chain, Targets, chain_of

pytestmark = pytest.mark.anyio

KEY = Secret("sk-proj-abcdefgh12345678")
LOCAL = Privacy(local_only=True)


@pytest.fixture
def targets(tmp_path: Path) -> Targets:
    made = Targets(PROVIDERS, Credentials(tmp_path, load=FakeBackend().loader()))
    made.configure(OpenAIConfig(api_key=KEY, model="gpt-6-sol"))
    made.activate("openai")
    return made


def asking(**options: Any) -> ChatRequest:
    return ChatRequest(messages=[Message("user", "hi")], **options)


def failure(targets: Targets, **options: Any) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        chain_of(targets, asking(**options))
    return caught.value


def names(chain: Chain) -> list[tuple[str, str]]:
    """Return all candidates, the first among them."""
    candidates = [chain.first, *chain.others] if chain.first else [*chain.others]
    return [(candidate.target.id, candidate.target.model) for candidate in candidates]


async def resolved(candidate: Candidate | None) -> Target:
    assert candidate is not None
    return await candidate.resolve()


async def test_without_a_fallback_there_is_one_choice(targets: Targets) -> None:
    chain = chain_of(targets, asking())
    assert (chain.choice.provider, chain.first, chain.others, chain.warnings) == ("openai", None, (), ())


async def test_the_request_names_whom_to_ask_instead(targets: Targets) -> None:
    fallback = [Fallback("openai", "gpt-6-luna", ["rate_limited"]), Fallback("ollama", "gemma")]
    chain = chain_of(targets, asking(fallback=fallback))
    assert names(chain) == [("openai", "gpt-6-sol"), ("openai", "gpt-6-luna"), ("ollama", "gemma")]
    assert [candidate.on for candidate in chain.others] == [{"rate_limited"}, frozenset()]
    target = await resolved(chain.first)
    assert (target.model, target.key, target.local_only) == ("gpt-6-sol", KEY, False)
    assert (await resolved(chain.others[1])).endpoint == "http://127.0.0.1:11434/v1"


async def test_what_is_not_resolved_yet_has_no_key(targets: Targets) -> None:
    chain = chain_of(targets, asking(fallback=[Fallback("ollama", "gemma")]))
    assert chain.first is not None
    assert chain.first.target.key is None


async def test_a_configured_chain_counts_where_the_request_has_none(targets: Targets) -> None:
    config = OpenAIConfig(api_key=KEY, model="gpt-6-sol", fallback=[Fallback("ollama", "gemma")])
    targets.configure(config)
    assert names(chain_of(targets, asking())) == [("openai", "gpt-6-sol"), ("ollama", "gemma")]
    assert chain_of(targets, asking(fallback=[])).others == ()
    own = chain_of(targets, asking(fallback=[Fallback("lmstudio", "qwen")]))
    assert names(own) == [("openai", "gpt-6-sol"), ("lmstudio", "qwen")]


async def test_a_candidate_without_a_model_has_its_configured_one(targets: Targets) -> None:
    targets.configure(OllamaConfig(id="second", model="gemma"))
    assert names(chain_of(targets, asking(fallback=[Fallback("second")])))[1] == ("second", "gemma")


async def test_all_is_as_it_was_when_the_question_arrived(targets: Targets) -> None:
    chain = chain_of(targets, asking(fallback=[Fallback("ollama", "gemma")]))
    targets.configure(OpenAIConfig(base_url="https://other.test/v1"))
    targets.configure(OllamaConfig(base_url="http://other.test/v1"))
    first, other = await resolved(chain.first), await resolved(chain.others[0])
    assert (first.endpoint, first.key) == ("https://api.openai.com/v1", KEY)
    assert other.endpoint == "http://127.0.0.1:11434/v1"


async def test_an_unknown_provider_in_the_request_is_an_error_at_once(targets: Targets) -> None:
    error = failure(targets, fallback=[Fallback("ollama", "gemma"), Fallback("nobody", "m")])
    assert (error.type, error.details["provider"]) == ("provider_not_found", "nobody")


UNAVAILABLE = [
    (Fallback("nobody", "m"), '"nobody" is not asked instead: There is no provider "nobody".'),
    (Fallback("ollama"), '"ollama" is not asked instead: No model is chosen for Ollama.'),
    (
        Fallback("azure", "m"),
        '"azure" is not asked instead: Azure OpenAI needs a configuration with base_url.',
    ),
]


@pytest.mark.parametrize(("fallback", "message"), UNAVAILABLE, ids=["unknown", "no model", "not configured"])
async def test_who_cannot_be_asked_is_left_out_of_a_configured_chain(
    targets: Targets, fallback: Fallback, message: str
) -> None:
    chained = [fallback, Fallback("ollama", "gemma")]
    targets.configure(OpenAIConfig(api_key=KEY, model="gpt-6-sol", fallback=chained))
    chain = chain_of(targets, asking())
    assert names(chain) == [("openai", "gpt-6-sol"), ("ollama", "gemma")]
    assert chain.warnings == (Warning("fallback_unavailable", message, "fallback"),)


@pytest.mark.parametrize(("fallback", "message"), UNAVAILABLE[1:], ids=["no model", "not configured"])
async def test_who_lacks_a_setting_is_left_out_of_the_requests_own_chain(
    targets: Targets, fallback: Fallback, message: str
) -> None:
    chain = chain_of(targets, asking(fallback=[fallback]))
    assert (chain.others, chain.warnings) == ((), (Warning("fallback_unavailable", message, "fallback"),))


async def test_a_first_that_lacks_a_setting_is_one_failure_among_several(targets: Targets) -> None:
    chain = chain_of(targets, asking(provider="azure", model="m", fallback=[Fallback("ollama", "gemma")]))
    assert names(chain) == [("azure", "m"), ("ollama", "gemma")]
    with pytest.raises(SidecarError) as caught:
        await resolved(chain.first)
    assert caught.value.type == "provider_not_configured"
    assert failure(targets, provider="azure", model="m").type == "provider_not_configured"


async def test_an_unknown_first_is_an_error_whoever_else_there_is(targets: Targets) -> None:
    error = failure(targets, provider="nobody", model="m", fallback=[Fallback("ollama", "gemma")])
    assert error.type == "provider_not_found"


class TestPrivacy:
    async def test_a_first_that_is_forbidden_is_an_error(self, targets: Targets) -> None:
        assert failure(targets, privacy=LOCAL).type == "privacy_blocked"

    async def test_with_another_that_is_allowed_it_is_one_failure_among_several(self, targets: Targets) -> None:
        chain = chain_of(targets, asking(privacy=LOCAL, fallback=[Fallback("ollama", "gemma")]))
        with pytest.raises(SidecarError) as caught:
            await resolved(chain.first)
        assert caught.value.type == "privacy_blocked"
        assert (await resolved(chain.others[0])).local_only

    async def test_others_that_are_forbidden_are_left_out(self, targets: Targets) -> None:
        fallback = [Fallback("groq", "m"), Fallback("lmstudio", "qwen"), Fallback("ollama", "gpt-oss:120b-cloud")]
        chain = chain_of(targets, asking(provider="ollama", model="gemma", privacy=LOCAL, fallback=fallback))
        assert names(chain) == [("ollama", "gemma"), ("lmstudio", "qwen")]
        assert [warning.type for warning in chain.warnings] == ["fallback_unavailable"] * 2
        left_out = '"groq" is not asked instead: The request may not leave this machine, and api.groq.com is not on it.'
        assert chain.warnings[0].message == left_out

    async def test_ids_are_held_against_a_configured_chain_as_well(self, targets: Targets) -> None:
        chained = [Fallback("groq", "m"), Fallback("ollama", "gemma")]
        targets.configure(OpenAIConfig(api_key=KEY, model="gpt-6-sol", fallback=chained))
        chain = chain_of(targets, asking(privacy=Privacy(allow_providers=["openai", "ollama"])))
        assert names(chain) == [("openai", "gpt-6-sol"), ("ollama", "gemma")]
        assert not (await resolved(chain.first)).local_only

    async def test_a_question_that_makes_servers_reach_out_is_refused_for_all(self, targets: Targets) -> None:
        tool = {"type": "provider", "definition": {"type": "web_search"}}
        request = msgspec.convert(
            {
                "messages": [],
                "tools": [tool],
                "provider": "ollama",
                "model": "gemma",
                "privacy": {"local_only": True},
                "fallback": [{"provider": "lmstudio", "model": "qwen"}],
            },
            ChatRequest,
        )
        with pytest.raises(SidecarError) as caught:
            chain_of(targets, request)
        assert (caught.value.type, caught.value.details) == ("privacy_blocked", {"param": "tools"})

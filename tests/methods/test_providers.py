from pathlib import Path

import pytest
from caller import Caller
from keychains import FakeBackend
from keyring.errors import KeyringLocked

from sidecar.schema.errors import SidecarError
from sidecar.schema.providers import TestStage as Stage

pytestmark = pytest.mark.anyio

KEY = "sk-proj-abcdefgh12345678"
MASKED = "sk-proj-…5678"
GROQ = {"provider": "groq", "model": "llama"}


def described(source: str = "none", **more: str) -> dict[str, object]:
    key = {"source": source} | ({"masked": more["masked"]} if "masked" in more else {})
    return {
        "provider": "groq",
        "kind": "groq",
        "key": key,
        "model": "llama",
        "base_url": "https://api.groq.com/openai/v1",
    }


async def test_a_configuration_is_shown_without_its_key(caller: Caller) -> None:
    result = await caller.call("providers.configure", config=GROQ | {"api_key": KEY})
    assert result == described("config", masked=MASKED)


async def test_the_active_provider_is_set_by_configuration_or_by_id(caller: Caller) -> None:
    assert await caller.call("providers.get_active") == {"active": None}
    assert await caller.call("providers.set_active", config=GROQ) == described()
    assert await caller.call("providers.get_active") == {"active": described()}
    await caller.call("providers.set_active", provider="ollama")
    assert (await caller.call("providers.get_active"))["active"]["provider"] == "ollama"


async def test_a_choice_leaves_the_keychain_alone_until_the_key_is_asked_for(caller: Caller, tmp_path: Path) -> None:
    await caller.call("credentials.save", provider="groq", api_key=KEY)
    later = Caller(tmp_path, caller.backend)
    caller.backend.calls.clear()
    assert await later.call("providers.configure", config=GROQ) == described("keychain")
    assert await later.call("providers.set_active", provider="groq") == described("keychain")
    assert caller.backend.calls == []
    await later.call("credentials.get", provider="groq")
    assert await later.call("providers.set_active", provider="groq") == described("keychain", masked=MASKED)


async def test_the_list_never_waits_for_the_keychain(caller: Caller, tmp_path: Path) -> None:
    await caller.call("credentials.save", provider="groq", api_key=KEY)
    later = Caller(tmp_path, caller.backend)
    caller.backend.calls.clear()
    listed = await later.call("providers.list")
    assert {info["id"]: info["key"] for info in listed["providers"]}["groq"] == {"source": "keychain"}
    assert listed["keychain"] == {"state": "unknown"}
    assert caller.backend.calls == []


async def test_the_list_tells_what_is_configured_and_active(caller: Caller) -> None:
    await caller.call("providers.set_active", config=GROQ)
    listed = await caller.call("providers.list")
    marked = [info["id"] for info in listed["providers"] if info["configured"] and info["active"]]
    assert marked == ["groq"]


async def test_a_removed_configuration_is_gone(caller: Caller) -> None:
    await caller.call("providers.set_active", config=GROQ)
    assert await caller.call("providers.remove", provider="groq") == {"removed": True}
    assert await caller.call("providers.get_active") == {"active": None}
    assert await caller.call("providers.remove", provider="groq") == {"removed": False}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "invalid_params"),
        ({"provider": "groq", "config": GROQ}, "invalid_params"),
        ({"provider": "nope"}, "provider_not_found"),
        ({"provider": "azure"}, "provider_not_configured"),
        ({"config": {"provider": "openai_compatible"}}, "provider_not_configured"),
        ({"config": {"provider": "scripted"}}, "provider_not_found"),
        ({"config": {"provider": "nope"}}, "invalid_params"),
    ],
)
async def test_what_cannot_be_active_changes_nothing(caller: Caller, params: dict[str, object], expected: str) -> None:
    await caller.call("providers.set_active", provider="ollama")
    assert (await caller.error("providers.set_active", **params))["data"]["type"] == expected
    assert (await caller.call("providers.get_active"))["active"]["provider"] == "ollama"


async def test_a_test_shows_the_engines_stages(caller: Caller) -> None:
    config = {"provider": "openai_compatible", "base_url": "http://127.0.0.1:1/v1", "model": "m"}
    assert await caller.call("providers.test", config=config) == {
        "ok": True,
        "provider": "openai_compatible",
        "stages": [{"stage": "http", "ok": True, "ms": 7}],
        "url": "http://127.0.0.1:1/v1",
        "model": "m",
    }
    assert (await caller.error("providers.test", provider="nope"))["data"]["type"] == "provider_not_found"
    listed = await caller.call("providers.list")
    assert [info["id"] for info in listed["providers"] if info["configured"]] == []


async def test_a_provider_that_fails_its_test_is_a_result(caller: Caller) -> None:
    refused = SidecarError("authentication").to_object()
    caller.engine.stages = [Stage("http", ok=True, ms=7), Stage("auth", ok=False, ms=1, error=refused)]
    result = await caller.call("providers.test", provider="ollama")
    assert (result["ok"], [stage["stage"] for stage in result["stages"]]) == (False, ["http", "auth"])


def failed_stages(result: dict[str, object]) -> list[tuple[str, bool, str]]:
    stages = result["stages"]
    assert isinstance(stages, list)
    return [(stage["stage"], stage["ok"], stage["error"]["data"]["type"]) for stage in stages]


@pytest.mark.parametrize(
    ("params", "stage", "expected"),
    [
        ({}, "config", "provider_not_configured"),
        ({"provider": "azure"}, "config", "provider_not_configured"),
        ({"config": {"provider": "openai", "base_url": "nonsense"}}, "config", "invalid_params"),
        ({"provider": "groq"}, "auth", "credential_not_found"),
    ],
)
async def test_what_is_wrong_before_anything_is_sent_is_a_stage_that_failed(
    caller: Caller, params: dict[str, object], stage: str, expected: str
) -> None:
    result = await caller.call("providers.test", **params)
    assert (result["ok"], failed_stages(result)) == (False, [(stage, False, expected)])
    assert caller.engine.targets == []


async def test_a_key_that_may_not_go_there_is_a_stage_that_failed(caller: Caller) -> None:
    await caller.call("credentials.save", provider="groq", api_key=KEY)
    config = {"provider": "groq", "base_url": "https://evil.example/v1"}
    result = await caller.call("providers.test", config=config)
    assert failed_stages(result) == [("config", False, "origin_not_allowed")]
    assert caller.engine.targets == []


async def test_a_locked_keychain_is_a_stage_that_failed(caller: Caller, tmp_path: Path) -> None:
    await caller.call("credentials.save", provider="groq", api_key=KEY)
    locked = FakeBackend()
    locked.failure = KeyringLocked()
    result = await Caller(tmp_path, locked).call("providers.test", provider="groq")
    assert failed_stages(result) == [("auth", False, "keyring_locked")]

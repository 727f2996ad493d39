from pathlib import Path

import anyio
import pytest
from caller import Caller
from keychains import FakeBackend
from keyring.errors import KeyringLocked, NoKeyringError

from sidecar.schema.errors import SidecarError

pytestmark = pytest.mark.anyio

KEY = "sk-proj-abcdefgh12345678"
MASKED = "sk-proj-…5678"
OK = {"state": "ok", "backend": "fake"}


async def test_a_key_is_saved_shown_listed_and_deleted(caller: Caller) -> None:
    groq = ["https://api.groq.com"]
    assert await caller.call("credentials.save", provider="groq", api_key=KEY) == {
        "provider": "groq",
        "masked": MASKED,
        "origins": groq,
    }
    assert await caller.call("credentials.get", provider="groq") == {"exists": True, "masked": MASKED, "origins": groq}
    assert await caller.call("credentials.list") == {
        "credentials": [{"provider": "groq", "has_api_key": True, "origins": groq}],
        "keychain": OK,
    }
    assert await caller.call("credentials.delete", provider="groq") == {"deleted": True}
    assert await caller.call("credentials.get", provider="groq") == {"exists": False}
    assert await caller.call("credentials.delete", provider="groq") == {"deleted": False}
    assert await caller.call("credentials.list") == {"credentials": [], "keychain": OK}


async def test_pipelined_requests_take_effect_in_the_order_of_arrival(caller: Caller) -> None:
    saving = caller.begin("credentials.save", provider="groq", api_key=KEY)
    assert (await caller.call("credentials.get", provider="groq"))["masked"] == MASKED
    deleting = caller.begin("credentials.delete", provider="groq")
    assert await caller.call("credentials.get", provider="groq") == {"exists": False}
    await saving
    await deleting
    assert caller.backend.items == {}


async def test_a_key_is_saved_for_every_region_of_its_provider(caller: Caller) -> None:
    saved = await caller.call("credentials.save", provider="openai", api_key=KEY)
    assert saved["origins"][:2] == ["https://api.openai.com", "https://us.api.openai.com"]
    assert len(caller.backend.items) == len(saved["origins"])
    assert await caller.call("credentials.delete", provider="openai") == {"deleted": True}
    assert caller.backend.items == {}


async def test_a_provider_can_have_keys_for_several_servers(caller: Caller) -> None:
    for host, key in (("one", "sk-proj-abcdefgh11111111"), ("two", "sk-proj-abcdefgh22222222")):
        url = f"https://{host}.example/v1"
        await caller.call("credentials.save", provider="openai_compatible", api_key=key, base_url=url)
    both = ["https://one.example", "https://two.example"]
    assert await caller.call("credentials.get", provider="openai_compatible") == {
        "exists": True,
        "masked": "sk-proj-…1111",
        "origins": both,
    }
    config = {"provider": "openai_compatible", "base_url": "https://two.example/v1"}
    await caller.call("providers.configure", config=config)
    in_use = await caller.call("credentials.get", provider="openai_compatible")
    assert (in_use["masked"], sorted(in_use["origins"])) == ("sk-proj-…2222", both)
    only_one = {"provider": "openai_compatible", "base_url": "https://one.example"}
    assert (await caller.call("credentials.get", **only_one))["origins"] == ["https://one.example"]
    assert await caller.call("credentials.delete", **only_one) == {"deleted": True}
    listed = await caller.call("credentials.list")
    assert [info["origins"] for info in listed["credentials"]] == [["https://two.example"]]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"provider": "nope", "api_key": KEY}, "provider_not_found"),
        ({"provider": "openai_compatible", "api_key": KEY}, "invalid_params"),
        ({"provider": "groq", "api_key": ""}, "invalid_params"),
        ({"provider": "groq", "api_key": KEY, "base_url": "not a url"}, "invalid_params"),
        ({"provider": "", "api_key": KEY, "base_url": "https://one.example"}, "invalid_params"),
    ],
)
async def test_a_key_that_cannot_be_bound_is_not_saved(caller: Caller, params: dict[str, str], expected: str) -> None:
    error = await caller.error("credentials.save", **params)
    assert error["data"]["type"] == expected
    assert KEY not in repr(error)
    assert caller.backend.calls == []


@pytest.mark.parametrize(
    ("raised", "expected", "state"),
    [
        (KeyringLocked(), "keyring_locked", "locked"),
        (NoKeyringError(), "keyring_unavailable", "unavailable"),
    ],
)
async def test_a_keychain_that_fails_is_an_error_and_nothing_claims_to_be_saved(
    caller: Caller, raised: Exception, expected: str, state: str
) -> None:
    caller.backend.failure = raised
    error = await caller.error("credentials.save", provider="groq", api_key=KEY)
    assert (error["data"]["type"], error["data"]["category"]) == (expected, "config")
    listed = await caller.call("credentials.list")
    assert (listed["credentials"], listed["keychain"]["state"]) == ([], state)


async def test_the_list_does_not_claim_a_key_whose_save_is_failing(caller: Caller) -> None:
    caller.backend.failure = KeyringLocked()
    failing = caller.begin("credentials.save", provider="groq", api_key=KEY)
    listed: list[object] = []

    async def ask() -> None:
        listed.append((await caller.call("credentials.list"))["credentials"])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        with pytest.raises(SidecarError):
            await failing
    assert listed == [[]]


async def test_a_locked_keychain_is_an_error_to_whoever_asks_for_a_key(tmp_path: Path, caller: Caller) -> None:
    await caller.call("credentials.save", provider="groq", api_key=KEY)
    locked = FakeBackend()
    locked.failure = KeyringLocked()
    later = Caller(tmp_path, locked)
    assert (await later.error("credentials.get", provider="groq"))["data"]["type"] == "keyring_locked"
    assert (await later.error("credentials.delete", provider="groq"))["data"]["type"] == "keyring_locked"
    listed = await later.call("credentials.list")
    assert [info["provider"] for info in listed["credentials"]] == ["groq"]
    assert listed["keychain"]["state"] == "locked"

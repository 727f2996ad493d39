import pytest
from caller import Caller

from sidecar.schema.errors import SidecarError

pytestmark = pytest.mark.anyio


async def test_the_models_of_a_provider_are_listed_without_naming_one(caller: Caller) -> None:
    listed = await caller.call("models.list", provider="ollama")
    assert listed == {"provider": "ollama", "models": [{"id": "model-1", "provider": "ollama"}]}
    assert [target.endpoint for target in caller.engine.targets] == ["http://127.0.0.1:11434/v1"]


async def test_without_a_name_the_active_providers_models_are_listed(caller: Caller) -> None:
    await caller.call("providers.set_active", provider="lmstudio")
    assert (await caller.call("models.list"))["provider"] == "lmstudio"


async def test_a_provider_that_cannot_be_asked_is_an_error(caller: Caller) -> None:
    assert (await caller.error("models.list"))["data"]["type"] == "provider_not_configured"
    assert (await caller.error("models.list", provider="nope"))["data"]["type"] == "provider_not_found"
    assert (await caller.error("models.list", provider="groq"))["data"]["type"] == "credential_not_found"
    caller.engine.failure = SidecarError("connect", "The server could not be reached.")
    assert (await caller.error("models.list", provider="ollama"))["data"]["type"] == "connect"

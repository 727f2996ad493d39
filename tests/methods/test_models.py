from decimal import Decimal

import pytest
from caller import Caller

from sidecar.catalog.user_prices import UserPrice
from sidecar.handler import Target
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import ModelInfo

pytestmark = pytest.mark.anyio

FREE = {"source": "free", "input": "0", "output": "0"}


async def test_the_models_of_a_provider_are_listed_without_naming_one(caller: Caller) -> None:
    listed = await caller.call("models.list", provider="ollama")
    assert listed == {"provider": "ollama", "models": [{"id": "model-1", "provider": "ollama", "price": FREE}]}
    assert [target.id for target in caller.engine.targets] == ["ollama"]


async def test_a_model_of_which_nothing_is_known_is_listed_as_it_is(caller: Caller) -> None:
    await caller.call("providers.set_active", config={"provider": "openai", "id": "mine", "api_key": "sk-12345678"})
    assert await caller.call("models.list") == {"provider": "mine", "models": [{"id": "model-1", "provider": "mine"}]}


async def test_what_else_is_known_of_a_model_is_told(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    async def models(target: Target) -> list[ModelInfo]:
        return [ModelInfo(id="gpt-6-luna", provider=target.id)]

    monkeypatch.setattr(caller.engine, "models", models)
    await caller.call("providers.configure", config={"provider": "openai", "api_key": "sk-12345678"})
    (model,) = (await caller.call("models.list", provider="openai"))["models"]
    assert (model["context_length"], model["price"]["input"]) == (1_050_000, "0.1")
    assert model["capabilities"] == [
        "tools",
        "structured_output",
        "reasoning",
        "vision",
        "documents",
        "web_search",
    ]


async def test_what_the_host_says_of_a_price_is_told_where_nobody_else_does(caller: Caller) -> None:
    caller.prices._own = (UserPrice(provider="mine", model="model-1", input=Decimal("2.50"), output=Decimal(10)),)
    for config in ({"provider": "openai", "id": "mine", "api_key": "sk-12345678"}, {"provider": "ollama"}):
        await caller.call("providers.configure", config=config)
    (model,) = (await caller.call("models.list", provider="mine"))["models"]
    assert model["price"] == {"source": "user", "input": "2.5", "output": "10"}
    (model,) = (await caller.call("models.list", provider="ollama"))["models"]
    assert model["price"] == FREE


async def test_without_a_name_the_active_providers_models_are_listed(caller: Caller) -> None:
    await caller.call("providers.set_active", provider="lmstudio")
    assert (await caller.call("models.list"))["provider"] == "lmstudio"


async def test_a_provider_that_cannot_be_asked_is_an_error(caller: Caller) -> None:
    assert (await caller.error("models.list"))["data"]["type"] == "provider_not_configured"
    assert (await caller.error("models.list", provider="nope"))["data"]["type"] == "provider_not_found"
    assert (await caller.error("models.list", provider="groq"))["data"]["type"] == "credential_not_found"
    caller.engine.failure = SidecarError("connect", "The server could not be reached.")
    assert (await caller.error("models.list", provider="ollama"))["data"]["type"] == "connect"

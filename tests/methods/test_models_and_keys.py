"""A server that calls a model by the key that it was sent does not get it shown."""

from typing import Any

import pytest
from caller import Caller

from sidecar.handler import Target
from sidecar.schema.models import ModelInfo

pytestmark = pytest.mark.anyio

KEY = "sk-canary-0123456789abcdef"


async def listed(caller: Caller, ids: list[str], **settings: Any) -> list[str]:
    async def models(target: Target) -> list[ModelInfo]:
        return [ModelInfo(id=id_, provider=target.id) for id_ in ids]

    caller.engine.models = models  # type: ignore[method-assign]
    config = {"provider": "openai_compatible", "base_url": "https://a.example", **settings}
    await caller.call("providers.configure", config=config)
    found = await caller.call("models.list", provider="openai_compatible")
    return [info["id"] for info in found["models"]]


async def test_a_model_that_is_called_by_a_key_is_left_out(caller: Caller) -> None:
    assert await listed(caller, ["a", f"b-{KEY}", "c"], api_key=KEY) == ["a", "c"]
    assert await listed(caller, ["a", KEY.upper()], headers={"Authorization": f"Bearer {KEY}"}) == ["a"]


async def test_a_header_that_names_a_model_hides_none(caller: Caller) -> None:
    assert await listed(caller, ["llama-3.3-70b"], headers={"x-model": "llama-3.3-70b"}) == ["llama-3.3-70b"]

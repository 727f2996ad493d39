from collections.abc import Awaitable, Callable
from typing import Any, cast

import anyio
import msgspec
import pytest
from caller import Caller, FakeShelf
from msgspec import Struct

from sidecar.catalog import machine
from sidecar.catalog.listings import Listings
from sidecar.catalog.observations import Observations, Pace
from sidecar.handler import Target
from sidecar.methods import recommendations
from sidecar.methods.recommendations import recommend
from sidecar.rpc.router import Request
from sidecar.schema.chat import Origin
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import ModelInfo, RecommendParams
from sidecar.schema.session import Limits

pytestmark = pytest.mark.anyio

FREE = {"source": "free", "input": "0", "output": "0"}


class Lister:
    """Lists what it is given by provider; a function is called first. All others cannot be reached."""

    def __init__(self, **listed: list[str] | SidecarError | Callable[[], Awaitable[list[str]]]) -> None:
        self.listed = listed
        self.asked: list[str] = []
        self.size_bytes: int | None = None
        self.memory_bytes: int | None = None

    async def models(self, target: Target) -> list[ModelInfo]:
        self.asked.append(target.id)
        listed = self.listed.get(target.id, SidecarError("connect"))
        if callable(listed):
            listed = await listed()
        if isinstance(listed, SidecarError):
            raise listed
        sizes = {"size_bytes": self.size_bytes, "memory_bytes": self.memory_bytes}
        return [ModelInfo(id=id_, provider=target.id, **sizes) for id_ in listed]


class Wired(Struct):
    """The services that are needed."""

    targets: Any
    engines: Any
    observations: Observations
    listings: Listings
    policies: Any
    limits: Limits = Limits()


@pytest.fixture
def services(caller: Caller) -> Wired:
    known = caller._router._services
    return Wired(known.targets, known.engines, Observations(), Listings(), known.policies)


async def ask(services: Wired, engine: Lister, **params: Any) -> Any:
    services.engines = FakeShelf(cast("Any", engine))
    request = Request(1, 0, cast("Any", None))
    with anyio.fail_after(10):
        found = await recommend(cast("Any", services), msgspec.convert(params, RecommendParams), request)
    return msgspec.to_builtins(found)


async def test_what_can_be_used_is_asked_and_ranked(caller: Caller, services: Wired) -> None:
    await caller.call("credentials.save", provider="openai", api_key="sk-proj-abcdefgh12345678")
    engine = Lister(openai=["gpt-6-astra", "gpt-6-luna", "gpt-4-turbo", "text-embedding-3-small"], ollama=["gemma"])
    found = await ask(services, engine, prefer="price")
    assert [(one["id"], one["provider"], one["key"], one["local"]) for one in found["models"]] == [
        ("gemma", "ollama", False, True),
        ("gpt-6-luna", "openai", True, False),
        ("gpt-6-astra", "openai", True, False),
    ]
    assert found["unavailable"] == []
    assert {"openai", "ollama", "lmstudio"} <= set(engine.asked)
    assert {"groq", "mistral", "openai_compatible"}.isdisjoint(engine.asked)


async def test_what_a_model_takes_in_memory_counts_for_more_than_its_file(
    services: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "total_memory", lambda: 10_000)
    engine = Lister(ollama=["gemma"])
    for memory, fits in ((7_600, False), (7_400, True)):
        engine.size_bytes, engine.memory_bytes = 5_000, memory
        found = await ask(services, engine, providers=["ollama"])
        assert [one["fits"] for one in found["models"]] == [fits]


async def test_a_recommendation_is_a_model_with_reasons(services: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "total_memory", lambda: 10_000)
    endpoint = services.targets.choose_provider("ollama").endpoint
    services.observations.record(Origin("ollama", endpoint, "gemma"), Pace(500, 20.0))
    engine = Lister(ollama=["gemma"])
    engine.size_bytes = 9_000
    assert await ask(services, engine, providers=["ollama"], prefer="latency") == {
        "models": [
            {
                "id": "gemma",
                "provider": "ollama",
                "price": FREE,
                "size_bytes": 9_000,
                "key": False,
                "local": True,
                "score": 0.0667,
                "reasons": [
                    "latency 0.67 (weight 1): first token after 500 ms in this session",
                    "times 0.1: larger than the memory has room for",
                ],
                "fits": False,
                "first_token_ms": 500,
                "output_tokens_per_second": 20.0,
            }
        ],
        "unavailable": [],
    }


async def test_a_provider_that_fails_is_told_of_and_no_error(caller: Caller, services: Wired) -> None:
    await caller.call("providers.configure", config={"provider": "vllm"})
    await caller.call("providers.configure", config={"provider": "groq"})
    found = await ask(services, Lister(ollama=["gemma"]))
    assert [one["id"] for one in found["models"]] == ["gemma"]
    assert sorted((one["provider"], one["error_type"]) for one in found["unavailable"]) == [
        ("groq", "credential_not_found"),
        ("vllm", "connect"),
    ]


async def test_whoever_is_named_is_told_of(services: Wired) -> None:
    engine = Lister(lmstudio=SidecarError("malformed_response"))
    found = await ask(services, engine, providers=["nobody", "lmstudio", "azure", "lmstudio"])
    assert found == {
        "models": [],
        "unavailable": [
            {"provider": "nobody", "error_type": "provider_not_found"},
            {"provider": "lmstudio", "error_type": "malformed_response"},
            {"provider": "azure", "error_type": "provider_not_configured"},
        ],
    }


async def test_providers_are_asked_at_once(services: Wired) -> None:
    both = anyio.Event()

    async def meet() -> list[str]:
        if len(engine.asked) == 2:
            both.set()
        await both.wait()
        return ["gemma"]

    engine = Lister(ollama=meet, lmstudio=meet)
    found = await ask(services, engine, providers=["ollama", "lmstudio"])
    assert [one["provider"] for one in found["models"]] == ["ollama", "lmstudio"]


async def test_a_slow_provider_does_not_hold_up_the_others(services: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> list[str]:
        await anyio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(recommendations, "ASK_S", 0.01)
    found = await ask(services, Lister(ollama=["gemma"], lmstudio=never), providers=["lmstudio", "ollama"])
    assert [one["id"] for one in found["models"]] == ["gemma"]
    assert found["unavailable"] == [{"provider": "lmstudio", "error_type": "timeout"}]


async def test_for_models_on_this_machine_nobody_else_is_asked(caller: Caller, services: Wired) -> None:
    await caller.call("credentials.save", provider="groq", api_key="gsk_abcdefgh12345678")
    engine = Lister(ollama=["gemma"])
    found = await ask(services, engine, local_only=True)
    assert [one["id"] for one in found["models"]] == ["gemma"]
    assert "groq" not in engine.asked

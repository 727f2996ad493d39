import base64
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import msgspec
import pytest
from caller import Caller, FakeShelf

from sidecar.catalog.user_prices import UserPrice
from sidecar.handler import Call, Target
from sidecar.methods import estimates
from sidecar.methods.estimates import METHODS
from sidecar.rpc.router import Request, Router
from sidecar.schema.chat import Message
from sidecar.schema.errors import ErrorType, SidecarError
from sidecar.schema.models import ModelInfo

pytestmark = pytest.mark.anyio

OPENAI = {"provider": "openai", "model": "gpt-6.1-terra"}
FREE = {"amount": "0", "currency": "USD", "source": "free", "estimated": False}
ROOMY = SimpleNamespace(admit=lambda request, size: None)  # noqa: ARG005 - a connection with room for everything
QUESTION = [{"role": "user", "content": "x" * 400}]


class Counter:
    """Counts what it is told to, or fails; for ever, where it is `slow`. Its models have `context_length`."""

    def __init__(self) -> None:
        self.tokens: int | None = None
        self.failure: SidecarError | None = None
        self.slow = False
        self.context_length: int | None = None
        self.calls: list[Call] = []

    async def count_tokens(self, call: Call) -> int | None:
        self.calls.append(call)
        if self.slow:
            await anyio.sleep_forever()
        if self.failure is not None:
            raise self.failure
        return self.tokens

    async def models(self, target: Target) -> list[ModelInfo]:
        if self.context_length is None:
            raise SidecarError("connect")
        return [
            ModelInfo(id=id_, provider=target.id, context_length=self.context_length) for id_ in ("other", target.model)
        ]


class Estimator:
    """Answers `chat.estimate` from JSON to JSON."""

    def __init__(self, caller: Caller, folder: Path) -> None:
        self.engine = Counter()
        shelf = FakeShelf(cast("Any", self.engine))
        services = msgspec.structs.replace(caller._router._services, engines=shelf, allowed_paths=(folder,))
        self.router = Router(METHODS, services)

    async def call(self, **params: Any) -> Any:
        method = self.router.find("chat.estimate")
        raw = msgspec.Raw(msgspec.json.encode({"messages": QUESTION} | params))
        try:
            result = await self.router.call(method, raw, Request(1, 0, cast("Any", ROOMY)))
        except SidecarError as error:
            if error.type in method.errors:
                raise
            raise AssertionError(f"chat.estimate does not declare {error.type}") from error
        return msgspec.to_builtins(result)

    async def tokens(self, **params: Any) -> int:
        return int((await self.call(**OPENAI, **params))["input_tokens"])


@pytest.fixture
async def estimator(caller: Caller, tmp_path: Path) -> Estimator:
    await caller.call("providers.configure", config={"provider": "openai", "api_key": "sk-proj-abcdefgh12345678"})
    return Estimator(caller, tmp_path)


def costs(amount: str | None, estimated: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - as on the wire
    return {"amount": amount, "currency": "USD", "source": "table", "estimated": estimated}


async def test_an_estimate_tells_what_a_question_would_take(estimator: Estimator) -> None:
    assert await estimator.call(**OPENAI, max_tokens=1_000) == {
        "provider": "openai",
        "model": "gpt-6.1-terra",
        "input_tokens": 100,
        "source": "estimated",
        "max_output_tokens": 1_000,
        "context_length": 1_050_000,
        "fits": True,
        "cost": {"input": costs("0.0001"), "maximum": costs("0.0051")},
        "warnings": [],
    }


async def test_the_providers_own_count_is_preferred(estimator: Estimator) -> None:
    estimator.engine.tokens = 300_000
    found = await estimator.call(**OPENAI)
    assert (found["input_tokens"], found["source"]) == (300_000, "reported")
    assert found["cost"]["input"] == costs("0.6", estimated=False)
    (call,) = estimator.engine.calls
    assert (call.target.model, call.request.messages) == ("gpt-6.1-terra", [Message("user", "x" * 400)])


async def test_without_a_known_price_the_cost_is_null(estimator: Estimator) -> None:
    found = await estimator.call(provider="openai", model="gpt-17", max_tokens=5)
    unknown = {"amount": None, "currency": "USD", "source": "unknown", "estimated": False}
    assert found["cost"] == {"input": unknown, "maximum": unknown}
    assert (found["context_length"], found["fits"]) == (None, None)


async def test_an_answer_without_a_known_end_has_no_greatest_cost(estimator: Estimator) -> None:
    found = await estimator.call(provider="openai", model="gpt-17")
    assert (found["max_output_tokens"], found["cost"]["maximum"]) == (None, None)


async def test_a_model_on_this_machine_costs_nothing(estimator: Estimator) -> None:
    estimator.engine.context_length = 150
    found = await estimator.call(provider="ollama", model="gemma", max_tokens=50)
    assert found["cost"] == {"input": FREE, "maximum": FREE}
    assert (found["context_length"], found["fits"]) == (150, True)
    assert (await estimator.call(provider="ollama", model="gemma", max_tokens=51))["fits"] is False


async def test_a_server_on_this_machine_that_tells_nothing_is_no_error(estimator: Estimator) -> None:
    found = await estimator.call(provider="ollama", model="gemma")
    assert (found["context_length"], found["fits"]) == (None, None)
    found = await estimator.call(provider="ollama", model="gemma", context_size=99)
    assert (found["context_length"], found["fits"]) == (99, False)


async def test_a_model_file_has_the_context_that_it_is_loaded_with(caller: Caller, estimator: Estimator) -> None:
    estimator.engine.context_length = 32_768
    config = {"provider": "local", "model_path": "/models/gemma.gguf", "context_size": 1_024}
    await caller.call("providers.configure", config=config)
    assert (await estimator.call(provider="local"))["context_length"] == 1_024
    assert (await estimator.call(provider="local", context_size=65_536))["context_length"] == 32_768
    await caller.call("providers.configure", config=config | {"context_size": None})
    assert (await estimator.call(provider="local"))["context_length"] == 8_192


@pytest.mark.parametrize("error_type", ["server_error", "unsupported_feature", "timeout", "rate_limited"])
async def test_a_counter_that_fails_is_replaced_and_told_of(estimator: Estimator, error_type: ErrorType) -> None:
    estimator.engine.failure = SidecarError(error_type, "It is broken.")
    found = await estimator.call(**OPENAI)
    message = "The tokens are estimated, as the provider could not count them: It is broken."
    assert (found["input_tokens"], found["source"]) == (100, "estimated")
    assert found["warnings"] == [{"type": "tokens_estimated", "message": message}]


@pytest.mark.parametrize("error_type", ["authentication", "permission_denied"])
async def test_a_key_that_is_refused_is_an_error(estimator: Estimator, error_type: ErrorType) -> None:
    estimator.engine.failure = SidecarError(error_type)
    with pytest.raises(SidecarError) as raised:
        await estimator.call(**OPENAI)
    assert raised.value.type == error_type


async def test_a_slow_counter_is_not_waited_for(estimator: Estimator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "ASK_S", 0.01)
    estimator.engine.slow = True
    with anyio.fail_after(10):
        found = await estimator.call(**OPENAI)
    message = "The tokens are estimated, as the provider could not count them: The provider took too long."
    assert found["warnings"] == [{"type": "tokens_estimated", "message": message}]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"provider": "nobody", "model": "m"}, "provider_not_found"),
        ({"provider": "openai"}, "provider_not_configured"),
        ({"provider": "groq", "model": "m"}, "credential_not_found"),
    ],
)
async def test_a_target_that_cannot_be_is_an_error(estimator: Estimator, params: Any, expected: str) -> None:
    with pytest.raises(SidecarError) as raised:
        await estimator.call(**params)
    assert raised.value.type == expected


def picture(**source: Any) -> dict[str, Any]:
    return {"type": "file", "media_type": "image/png", "source": source}


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("image/png", 1_600),
        ("application/pdf", 10_000),
        ("audio/wav", 2_000),
        ("video/mp4", 20_000),
        ("text/plain; charset=utf-8", 10),
        ("application/zip", 2_000),
    ],
)
async def test_a_file_counts_by_its_kind(estimator: Estimator, media_type: str, expected: int) -> None:
    data = base64.b64encode(b"y" * 39).decode()
    file = {"type": "file", "media_type": media_type, "source": {"type": "base64", "data": data}}
    assert await estimator.tokens(messages=[{"role": "user", "content": [file]}]) == expected


async def test_the_results_of_tools_may_hold_files(estimator: Estimator) -> None:
    inner = [{"type": "text", "text": "abcd"}, picture(type="url", url="https://example.org/a.png")]
    result = {"type": "tool_result", "tool_call_id": "1", "content": inner}
    assert await estimator.tokens(messages=[{"role": "tool", "content": [result]}]) == 1_601


async def test_tools_and_schemas_are_part_of_the_question(estimator: Estimator) -> None:
    tool = {"type": "function", "name": "look", "input_schema": {"type": "object"}}
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    with_tool = await estimator.tokens(tools=[tool])
    assert with_tool - 100 == -(-len(msgspec.json.encode(tool)) // 4)
    with_schema = await estimator.tokens(response_format={"type": "json_schema", "schema": schema})
    assert with_schema - 100 == -(-len(msgspec.json.encode(schema)) // 4)


async def test_files_by_path_are_read_as_for_a_chat(estimator: Estimator, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"z" * 399)
    file = {
        "type": "file",
        "media_type": "text/plain",
        "source": {"type": "path", "path": str(tmp_path / "notes.txt")},
    }
    assert await estimator.tokens(messages=[{"role": "user", "content": [file]}]) == 100
    file["source"] = {"type": "path", "path": "/etc/passwd"}
    with pytest.raises(SidecarError, match="folder"):
        await estimator.tokens(messages=[{"role": "user", "content": [file]}])


async def test_what_the_host_knows_of_prices_counts(caller: Caller, estimator: Estimator) -> None:
    everywhere = UserPrice(provider="*", model="m-?", input=Decimal("0.5"), output=Decimal(10))
    caller.prices._own = (everywhere,)
    server = {"provider": "openai_compatible", "id": "my-server", "base_url": "http://127.0.0.1:1/v1"}
    await caller.call("providers.configure", config=server)
    found = await estimator.call(provider="my-server", model="m-1", max_tokens=100)
    told = costs("0.00005") | {"source": "user"}
    assert found["cost"] == {"input": told, "maximum": told | {"amount": "0.00105"}}
    assert (await estimator.call(provider="ollama", model="m-1"))["cost"]["input"] == FREE

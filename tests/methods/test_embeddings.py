from typing import Any

import anyio
import pytest
from caller import Caller
from virtual_time import VIRTUAL_TIME

from sidecar.handler import Embedded, Target
from sidecar.schema.chat import Warning
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.usage import Cost, Usage
from sidecar.storage.ledger import Entry

pytestmark = pytest.mark.anyio

CONFIG = {"provider": "openai", "api_key": "sk-12345678", "model": "text-embedding-3-small"}


def answering(caller: Caller, embedded: Embedded) -> None:
    async def embed(target: Target, request: EmbeddingRequest) -> Embedded:
        del target, request
        return embedded

    caller.engine.embed = embed  # type: ignore[attr-defined]


async def test_vectors_come_with_what_they_cost(caller: Caller) -> None:
    await caller.call("providers.configure", config=CONFIG)
    warning = Warning("unsupported_parameter", "No.", "purpose")
    answering(caller, Embedded([[0.5, 1.0]], Usage(input_tokens=1_000_000, output_tokens=0), None, (warning,)))
    assert await caller.call("embeddings.create", provider="openai", input=["a"]) == {
        "vectors": [[0.5, 1.0]],
        "usage": {"input_tokens": 1_000_000, "output_tokens": 0, "source": "reported"},
        "cost": {"amount": "0.02", "currency": "USD", "source": "table", "estimated": False},
        "warnings": [{"type": "unsupported_parameter", "message": "No.", "param": "purpose"}],
        "provider": "openai",
        "model": "text-embedding-3-small",
    }


async def test_a_price_of_the_provider_counts_before_that_of_the_table(caller: Caller) -> None:
    await caller.call("providers.configure", config=CONFIG)
    answering(caller, Embedded([[1.0]], None, Cost(amount="0.7", source="provider")))
    created = await caller.call("embeddings.create", provider="openai", input=["four"])
    assert (created["cost"]["amount"], created["usage"]) == (
        "0.7",
        {"input_tokens": 1, "output_tokens": 0, "source": "estimated"},
    )


async def test_a_missing_vector_is_an_error(caller: Caller) -> None:
    await caller.call("providers.configure", config=CONFIG)
    entries: list[Entry] = []
    caller.ledger.watchers.append(entries.append)
    answering(caller, Embedded([[1.0]], Usage(input_tokens=1_000_000, output_tokens=0), None))
    error = await caller.error("embeddings.create", provider="openai", input=["a", "b"], tags=["search"])
    assert error["data"]["type"] == "malformed_response"
    (entry,) = entries
    assert (entry.method, entry.kind, entry.tags) == ("embeddings", "openai", ("search",))
    assert (entry.outcome, entry.error_type, entry.cost) == (
        "error",
        "malformed_response",
        Cost(amount="0.02", source="table"),
    )


async def test_who_has_no_vectors_is_not_asked(caller: Caller) -> None:
    error = await caller.error("embeddings.create", provider="groq", model="m", input=["a"])
    assert (error["data"]["type"], error["message"]) == ("unsupported_feature", "Groq offers no embeddings.")
    assert caller.engine.targets == []


@pytest.mark.parametrize("texts", [[], ["x"] * 2049, "x", [1]])
async def test_what_is_no_list_of_texts_is_refused(caller: Caller, texts: object) -> None:
    with pytest.raises(SidecarError) as raised:
        await caller.call("embeddings.create", provider="openai", model="m", input=texts)
    assert raised.value.type == "invalid_params"


class TestWaiting:
    """In virtual time."""

    @pytest.fixture
    def anyio_backend(self) -> Any:
        return VIRTUAL_TIME

    @pytest.mark.parametrize(("failures", "expected"), [(1, "ok"), (2, "ok"), (3, "rate_limited")])
    async def test_what_fails_for_a_passing_reason_is_asked_for_again(
        self, caller: Caller, failures: int, expected: str
    ) -> None:
        left = [SidecarError("rate_limited", retry_after_ms=3000, http_status=429)] * failures

        async def embed(target: Target, request: EmbeddingRequest) -> Embedded:
            del target, request
            if left:
                raise left.pop()
            return Embedded([[1.0]], None, None)

        entries: list[Entry] = []
        caller.ledger.watchers.append(entries.append)
        await caller.call("providers.configure", config=CONFIG)
        caller.engine.embed = embed  # type: ignore[attr-defined]
        started = anyio.current_time()
        try:
            await caller.call("embeddings.create", provider="openai", input=["a"])
        except SidecarError as error:
            assert error.type == expected  # noqa: PT017 - one of the endings
        outcomes = [entry.error_type or entry.outcome for entry in entries]
        assert outcomes == [*["rate_limited"] * min(failures, 3), "ok"][:3]
        assert outcomes[-1] == expected
        assert anyio.current_time() - started == pytest.approx(3 * (len(entries) - 1), rel=0.03)

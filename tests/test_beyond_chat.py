"""Lists, choices, counts, costs and vectors over HTTP, through the real process."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import upstream
from host import Host, session

KEY = "sk-test-1234567890abcdef"
HELLO = [{"role": "user", "content": "Hi"}]

GONE: dict[str, tuple[str, Any, str]] = {
    "openai": (
        "gpt-4-turbo",
        {"error": {"message": "The model `gpt-4-turbo` does not exist.", "code": "model_not_found"}},
        "gpt-4-turbo was shut down on 2026-10-23; gpt-6-astra succeeds it.",
    ),
    "anthropic": (
        "claude-3-opus-20240229",
        {"type": "error", "error": {"type": "not_found_error", "message": "model: claude-3-opus-20240229"}},
        "claude-3-opus-20240229 was shut down on 2026-01-05; claude-opus-5-5 succeeds it.",
    ),
    "google": (
        "gemini-1.5-pro",
        {"error": {"code": 404, "message": "models/gemini-1.5-pro is not found.", "status": "NOT_FOUND"}},
        "gemini-1.5-pro was shut down; gemini-4-argon succeeds it.",
    ),
}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with session(tmp_path) as host:
        yield host


def configure(host: Host, server: upstream.Server, kind: str, **settings: Any) -> None:
    config = {"provider": kind, "base_url": f"{server.url}/v1", "api_key": KEY, **settings}
    host.call("providers.configure", {"config": config})


@pytest.mark.parametrize("kind", GONE)
def test_a_model_that_is_gone_names_its_successor(host: Host, kind: str) -> None:
    model, body, hint = GONE[kind]
    with upstream.running(upstream.answer(body, 404)) as server:
        configure(host, server, kind)
        reply = host.reply(host.send("chat.complete", {"provider": kind, "model": model, "messages": HELLO}))
    assert reply["error"]["data"]["type"] == "model_not_found"
    assert reply["error"]["data"]["hint"] == hint


@pytest.mark.parametrize("kind", GONE)
def test_a_test_of_a_model_that_is_gone_names_its_successor(host: Host, kind: str) -> None:
    model, _, hint = GONE[kind]
    with upstream.running(
        two_pages if kind != "openai" else upstream.answer({"data": [{"id": "gpt-6-sol"}]})
    ) as server:
        configure(host, server, kind, model=model)
        tested = host.call("providers.test", {"provider": kind})
    last = tested["stages"][-1]
    assert (last["stage"], last["ok"], last["hint"]) == ("model", False, hint)


async def two_pages(exchange: upstream.Exchange) -> None:
    """List three models of each maker on two pages."""
    path = exchange.request.path
    if path.startswith("/v1/models?limit=") and "after_id" not in path:
        body: Any = {"data": [{"id": "claude-opus-5-5"}], "has_more": True, "last_id": "claude-opus-5-5"}
    elif path.startswith("/v1/models?limit="):
        body = {"data": [{"id": "claude-haiku-5-5", "max_input_tokens": 5}], "has_more": False}
    elif "pageToken" not in path:
        body = {"models": [{"name": "models/gemini-3.8-flash"}], "nextPageToken": "next"}
    else:
        body = {"models": [{"name": "models/gemini-4-argon", "inputTokenLimit": 7}]}
    await upstream.answer(body)(exchange)


def test_all_pages_of_a_list_are_read_and_completed(host: Host) -> None:
    with upstream.running(two_pages) as server:
        for kind in ("anthropic", "google"):
            configure(host, server, kind)
        listed = {kind: host.call("models.list", {"provider": kind})["models"] for kind in ("anthropic", "google")}
    assert [model["id"] for model in listed["anthropic"]] == ["claude-opus-5-5", "claude-haiku-5-5"]
    assert [model["id"] for model in listed["google"]] == ["gemini-3.8-flash", "gemini-4-argon"]
    opus, haiku = listed["anthropic"]
    assert (opus["price"]["input"], opus["price"]["source"], haiku["context_length"]) == ("4", "table", 5)
    assert "reasoning" in opus["capabilities"]


def test_models_are_recommended_over_providers_of_which_one_is_down(host: Host) -> None:
    with upstream.running(two_pages) as server:
        configure(host, server, "anthropic")
        configure(host, server, "google")
        host.call(
            "providers.configure", {"config": {"provider": "groq", "base_url": "http://127.0.0.1:9", "api_key": KEY}}
        )
        asked = {"providers": ["anthropic", "google", "groq"], "capabilities": ["tools"], "prefer": "price"}
        answer = host.call("models.recommend", asked)
    assert answer["unavailable"] == [{"provider": "groq", "error_type": "connect"}]
    assert answer["models"][0]["id"] == "claude-haiku-5-5"
    assert all(model["key"] and "tools" in model["capabilities"] for model in answer["models"])


COUNTS = {
    "openai": ("/v1/responses/input_tokens", {"object": "response.input_tokens", "input_tokens": 1000}),
    "anthropic": ("/v1/messages/count_tokens", {"input_tokens": 1000}),
    "google": ("/v1/models/gemini-3.8-flash:countTokens", {"totalTokens": 1000}),
}
MODELS = {"openai": "gpt-6-sol", "anthropic": "claude-sonnet-5-5", "google": "gemini-3.8-flash"}
PRICES = {"openai": ("0.002", "0.003"), "anthropic": ("0.002", "0.003"), "google": ("0.00075", "0.001125")}


@pytest.mark.parametrize("kind", COUNTS)
def test_the_provider_counts_and_the_table_prices(host: Host, kind: str) -> None:
    path, body = COUNTS[kind]
    with upstream.running(upstream.answer(body)) as server:
        configure(host, server, kind)
        question = {"provider": kind, "model": MODELS[kind], "messages": HELLO, "max_tokens": 100}
        estimate = host.call("chat.estimate", question)
        assert [request.path for request in server.requests] == [path]
    told = (estimate["cost"]["input"]["amount"], estimate["cost"]["maximum"]["amount"])
    assert (estimate["input_tokens"], estimate["source"], told) == (1000, "reported", PRICES[kind])


def test_a_provider_that_cannot_count_leaves_an_estimate_and_a_warning(host: Host) -> None:
    with upstream.running(upstream.answer({"error": {"message": "No."}}, 500)) as server:
        configure(host, server, "openai")
        estimate = host.call("chat.estimate", {"provider": "openai", "model": "gpt-6-sol", "messages": HELLO})
    assert (estimate["source"], [warning["type"] for warning in estimate["warnings"]]) == (
        "estimated",
        ["tokens_estimated"],
    )


VECTORS: dict[str, tuple[str, Any]] = {
    "openai": ("/v1/embeddings", {"data": [{"index": 0, "embedding": [0.25, -1.0]}], "usage": {"prompt_tokens": 2}}),
    "openrouter": ("/v1/embeddings", {"data": [{"embedding": [0.25, -1.0]}], "usage": {"prompt_tokens": 2}}),
    "ollama": ("/v1/embeddings", {"data": [{"embedding": [0.25, -1.0]}], "usage": {"prompt_tokens": 2}}),
    "openai_compatible": ("/v1/embeddings", {"data": [{"embedding": [0.25, -1.0]}], "usage": {"prompt_tokens": 2}}),
    "google": ("/v1/models/m:batchEmbedContents", {"embeddings": [{"values": [0.25, -1.0]}]}),
}


@pytest.mark.parametrize("kind", VECTORS)
def test_vectors_come_from_every_provider_that_has_them(host: Host, kind: str) -> None:
    path, body = VECTORS[kind]
    with upstream.running(upstream.answer(body)) as server:
        configure(host, server, kind, model="m")
        created = host.call("embeddings.create", {"provider": kind, "input": ["hi"]})
        (asked,) = server.requests
    assert (created["vectors"], asked.path) == ([[0.25, -1.0]], path)
    assert "hi" in json.dumps(json.loads(asked.body))


def test_an_answer_is_priced_by_the_table_and_its_pace_is_remembered(host: Host) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    answer = {"status": "completed", "output": [], "usage": usage}
    said = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hi"}
    events = [said, {"type": "response.completed", "response": answer}]
    lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]
    stream = upstream.events(*lines)
    with upstream.running(
        upstream.by_path(models=upstream.answer({"data": [{"id": "gpt-6-sol"}]}), responses=stream)
    ) as server:
        configure(host, server, "openai")
        result = host.call("chat.complete", {"provider": "openai", "model": "gpt-6-sol", "messages": HELLO})
        (model,) = host.call("models.recommend", {"providers": ["openai"]})["models"]
    assert result["cost"] == {"amount": "0.003", "currency": "USD", "source": "table", "estimated": False}
    assert result["attempts"][0]["cost"] == result["cost"]
    assert model["first_token_ms"] == result["timing"]["first_token_ms"]


def test_a_list_that_tells_prices_is_read_once_and_reckoned_with(host: Host) -> None:
    pricing = {"prompt": "0.000002", "completion": "0.00001"}
    listing = upstream.answer({"data": [{"id": "a/b", "context_length": 8192, "pricing": pricing}]})
    with upstream.running(upstream.by_path(models=listing)) as server:
        configure(host, server, "openrouter")
        question = {"provider": "openrouter", "model": "a/b", "messages": HELLO, "max_tokens": 100}
        first, second = (host.call("chat.estimate", question) for _ in range(2))
        assert [request.path for request in server.requests] == ["/v1/models"]
    assert first == second
    assert (first["context_length"], first["cost"]["maximum"]) == (
        8192,
        {"amount": "0.001002", "currency": "USD", "source": "provider", "estimated": True},
    )

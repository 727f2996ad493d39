"""Refused requests sent again, through the real process: without what the model does not take."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import upstream
from host import Host, session
from provider_servers import KEY
from provider_wires import WIRES
from test_round_trips import ASKED, TOOLS, results_of
from wire_rules import Json


@pytest.fixture
def host(tmp_path: Any) -> Iterator[Host]:
    with session(tmp_path) as host:
        yield host


Refuse = Callable[[bytes], bool]


def picky(name: str, refuse: Refuse, refusal: Json, status: int = 400) -> upstream.Handler:
    """Return a server that answers with words what it does not refuse."""
    wire = WIRES[name]

    async def handler(exchange: upstream.Exchange) -> None:
        if refuse(exchange.request.body):
            await upstream.answer(refusal, status)(exchange)
            return
        await exchange.start(200, {"content-type": wire.content_type})
        await exchange.send(wire.words)
        await exchange.end()

    return handler


def has(word: str) -> Refuse:
    return lambda body: f'"{word}"'.encode() in body


def point(host: Host, server: upstream.Server, name: str, model: str) -> None:
    config = WIRES[name].config | {"base_url": f"{server.url}/v1", "model": model, "api_key": KEY}
    host.call("providers.set_active", {"config": config})


def openai_error(message: str, **members: Any) -> Json:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None} | members}


def anthropic_error(message: str) -> Json:
    return {"type": "error", "error": {"type": "invalid_request_error", "message": message}, "request_id": "req_1"}


def gemini_error(message: str) -> Json:
    return {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}


UNSUPPORTED = "Unsupported parameter: '{}' is not supported with this model."
EXTRA = {
    "detail": [{"type": "extra_forbidden", "loc": ["body", "random_seed"], "msg": "Extra inputs are not permitted"}]
}

REFUSALS: dict[str, tuple[str, str, str, Json, Json, int]] = {
    "chat": (
        "compatible",
        "m-1",
        "temperature",
        openai_error(UNSUPPORTED.format("temperature"), param="temperature", code="unsupported_parameter"),
        {"temperature": 0.5},
        400,
    ),
    "chat, the length under another name": (
        "openai-chat",
        "gpt-4o",
        "max_completion_tokens",
        openai_error("Unrecognized request argument supplied: max_completion_tokens"),
        {"max_tokens": 10},
        400,
    ),
    "mistral": ("mistral", "mistral-small-latest", "random_seed", EXTRA, {"seed": 7}, 422),
    "responses": (
        "openai-responses",
        "gpt-new",
        "top_p",
        openai_error(UNSUPPORTED.format("top_p"), param="top_p", code="unsupported_parameter"),
        {"top_p": 0.5},
        400,
    ),
    "responses, effort": (
        "openai-responses",
        "gpt-new",
        "effort",
        openai_error("Unsupported value: 'reasoning.effort' does not support 'minimal'.", param="reasoning.effort"),
        {"reasoning": {"effort": "minimal"}},
        400,
    ),
    "anthropic": (
        "anthropic",
        "claude-haiku-4-5",
        "top_k",
        anthropic_error("`top_k` is deprecated for this model."),
        {"top_k": 5},
        400,
    ),
    "google": (
        "google",
        "gemini-3.8-flash",
        "topK",
        gemini_error("Invalid JSON payload received. Unknown name \"topK\" at 'generation_config': Cannot find field."),
        {"top_k": 5},
        400,
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_parameter_that_is_refused_is_left_out_and_remembered(host: Host, case: str) -> None:
    name, model, word, refusal, options, status = REFUSALS[case]
    with upstream.running(picky(name, has(word), refusal, status)) as server:
        point(host, server, name, model)
        results = [host.call("chat.complete", {"messages": [ASKED], **options}) for _ in range(2)]
        assert [word in request.body.decode() for request in server.requests] == [True, False, False]
        for result in results:
            assert "".join(part["text"] for part in result["message"]["content"]) == "18 and 24."
        if "max_tokens" not in options:
            (param,) = options
            assert [[warning["param"] for warning in result["warnings"]] for result in results] == [[param], [param]]


def test_a_refusal_that_leaving_out_does_not_help_is_told(host: Host) -> None:
    refusal = openai_error(UNSUPPORTED.format("temperature"), param="temperature")
    with upstream.running(picky("compatible", lambda _: True, refusal)) as server:
        point(host, server, "compatible", "m-1")
        error = host.fail("chat.complete", {"messages": [ASKED], "temperature": 0.5})
        assert error["message"] == refusal["error"]["message"]
        assert len(server.requests) == 2


def test_nothing_is_left_out_where_that_is_to_be_an_error(host: Host) -> None:
    refusal = openai_error(UNSUPPORTED.format("temperature"), param="temperature", code="unsupported_parameter")
    with upstream.running(picky("compatible", has("temperature"), refusal)) as server:
        point(host, server, "compatible", "m-1")
        asked = {"messages": [ASKED], "temperature": 0.5, "on_unsupported": "error"}
        assert host.fail("chat.complete", asked)["data"]["type"] == "unsupported_parameter"
        assert len(server.requests) == 1


SIGNATURES: dict[str, Json] = {
    "anthropic": anthropic_error(
        "messages.1.content.0: Invalid `signature` in `thinking` block: the block is bound to a different conversation"
    ),
    "openai-responses": openai_error(
        "The encrypted content for item rs_1 could not be verified.", code="invalid_encrypted_content"
    ),
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_conversation_whose_data_is_refused_is_sent_without(host: Host, name: str) -> None:
    wire = WIRES[name]
    secret = str(wire.secret)

    async def handler(exchange: upstream.Exchange) -> None:
        if not exchange.number:
            await exchange.start(200, {"content-type": wire.content_type})
            await exchange.send(wire.calls)
            await exchange.end()
            return
        await picky(name, lambda body: secret.encode() in body, SIGNATURES[name])(exchange)

    with upstream.running(handler) as server:
        point(host, server, name, wire.model)
        first = host.call("chat.complete", {"messages": [ASKED], "tools": TOOLS})
        messages = [ASKED, first["message"], results_of(first["message"])]
        for _ in range(2):
            result = host.call("chat.complete", {"messages": messages, "tools": TOOLS})
            assert [warning["type"] for warning in result["warnings"]] == ["opaque_dropped"]
        assert [secret in request.body.decode() for request in server.requests[1:]] == [True, False, True, False]
        assert all(not wire.rules(request.json()) for request in server.requests)
        assert secret in json.dumps(first["message"])

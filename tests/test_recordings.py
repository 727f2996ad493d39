"""Recorded answers through the real process: what a host reads is what the provider's own SDK read."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import upstream
from host import Host, session
from recorded import Json, exchanges, expectation, expected, reading, representative, request_id

from sidecar.schema.chat import FinishReason, Message
from sidecar.schema.usage import Usage

EXCHANGES = {exchange["id"]: exchange for exchange in exchanges()}
STREAMS = [id_ for id_, exchange in EXCHANGES.items() if exchange["sse"]]
OTHERS = [id_ for id_, exchange in EXCHANGES.items() if not exchange["sse"]]
WHOLE = 1 << 20
KEY = "sk-test-000000000000"

CONFIGURATIONS: dict[str, dict[str, Json]] = {
    "openai-chat": {
        "openai-chat": {"provider": "openai", "api": "chat"},
        "azure": {"provider": "azure", "api": "chat"},
        **{name: {"provider": name} for name in ("openrouter", "groq", "mistral", "deepseek")},
    },
    "openai-responses": {"azure": {"provider": "azure"}},
    "anthropic-messages": {},
    "gemini-generate": {},
    "ollama-chat": {},
}
"""Which configuration asks for an exchange, by dialect and provider."""

OTHERWISE: dict[str, Json] = {
    "openai-chat": {"provider": "openai_compatible"},
    "openai-responses": {"provider": "openai", "api": "responses"},
    "anthropic-messages": {"provider": "anthropic"},
    "gemini-generate": {"provider": "google"},
    "ollama-chat": {"provider": "ollama"},
}

CUT = {
    "openai-chat": "fantasy-66de05b4cd",
    "openai-responses": "llm-e379a196a9",
    "anthropic-messages": "fantasy-19e7256fba",
    "gemini-generate": "mirascope-49d4c5b6b5",
}
"""The streams that are cut."""

KEPT_HEADERS = {"content-type", "x-request-id", "request-id", "retry-after"}


async def play(exchange: upstream.Exchange) -> None:
    """Answer with the recording that the path names, in pieces of the size that it names, cut or compressed."""
    _, id_, size, how, *_ = exchange.request.path.split("/")
    recorded = EXCHANGES[id_]
    headers = {name: value for name, value in recorded["response_headers"].items() if name.lower() in KEPT_HEADERS}
    body = recorded["response_body"].encode()
    if how == "gzip":
        body, headers = gzip.compress(body), headers | {"content-encoding": "gzip"}
    end = int(how) if how.isdigit() else len(body)
    await exchange.start(recorded["status"], headers)
    for start in range(0, end, int(size)):
        await exchange.send(body[start : min(start + int(size), end)])
    if how.isdigit():
        await exchange.cut()
    else:
        await exchange.end()


@pytest.fixture(scope="module")
def server() -> Iterator[upstream.Server]:
    with upstream.running(play) as server:
        yield server


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with session(tmp_path_factory.mktemp("home")) as host:
        yield host


def configuration(id_: str) -> Json:
    recorded = EXCHANGES[id_]
    dialect = recorded["dialect"]
    return CONFIGURATIONS[dialect].get(recorded["provider"], OTHERWISE[dialect])


def ask(host: Host, server: upstream.Server, id_: str, how: str = f"{WHOLE}/plain") -> tuple[Any, list[Any]]:
    """Return the reply to a stream, and its chunks."""
    config = configuration(id_) | {"base_url": f"{server.url}/{id_}/{how}/v1", "api_key": KEY}
    host.call("providers.set_active", {"config": config})
    params = {
        "model": EXCHANGES[id_].get("model") or "m",
        "messages": [{"role": "user", "content": "?"}],
        "stream_id": id_,
        "retry": {"max_retries": 0},
    }
    if EXCHANGES[id_]["dialect"] == "ollama-chat":
        params["context_size"] = 8192
    seen: list[Any] = []
    reply = host.reply(host.send("chat.stream", params), seen)
    chunks = [message["params"] for message in seen if message["method"] == "stream.chunk"]
    assert [chunk["seq"] for chunk in chunks] == list(range(len(chunks)))
    return reply, [chunk["delta"] for chunk in chunks]


def read(message: Any, finish: Any, usage: Any) -> Json:
    return reading(
        msgspec.json.decode(json.dumps(message), type=Message),
        msgspec.convert(finish, FinishReason) if finish else None,
        msgspec.convert(usage, Usage) if usage else None,
    )


def joined(deltas: list[Any], kind: str, field: str = "text") -> str:
    return "".join(delta.get(field, "") for delta in deltas if delta["type"] == kind)


@pytest.mark.parametrize("how", [f"{WHOLE}/plain", "7/plain", "1/plain", "50/gzip"])
@pytest.mark.parametrize("id_", STREAMS)
def test_a_recorded_stream_arrives_as_the_sdk_read_it(host: Host, server: upstream.Server, id_: str, how: str) -> None:
    reply, deltas = ask(host, server, id_, how)
    wanted = expected(id_)
    if "error" in reply:
        data = reply["error"]["data"]
        assert reply["error"]["message"] == expectation(id_)["error"]["message"]
        got = read(data["partial"], None, None)
        wanted |= {"usage": None, "finish_reason": None, "reason": None}
        chunks = data["chunks"]
    else:
        result = reply["result"]
        got = read(result["message"], result["finish_reason"], result["usage"])
        chunks = result["chunks"]
    if wanted["usage"] is None:
        got["usage"] = None
    assert got == wanted
    assert chunks == len(deltas)
    assert joined(deltas, "text") == wanted["text"]
    assert joined(deltas, "reasoning") == wanted["reasoning"]
    assert joined(deltas, "refusal") == wanted["refusal"]
    indexes = sorted({delta["index"] for delta in deltas if delta["type"] == "tool_call"})
    pieces = [joined([d for d in deltas if d.get("index") == index], "tool_call", "arguments") for index in indexes]
    assert pieces == [call["arguments"] for call in got["tool_calls"]]
    assert [delta["name"] for delta in deltas if "name" in delta] == [call["name"] for call in wanted["tool_calls"]]


@pytest.mark.parametrize("how", [f"{WHOLE}/plain", "100/gzip"])
@pytest.mark.parametrize("id_", OTHERS)
def test_a_recorded_answer_arrives_as_the_sdk_read_it(host: Host, server: upstream.Server, id_: str, how: str) -> None:
    reply, _ = ask(host, server, id_, how)
    if "result" in reply:
        result = reply["result"]
        assert read(result["message"], result["finish_reason"], result["usage"]) == expected(id_)
        assert result["usage"]["source"] == "reported"
    else:
        wanted = expectation(id_)["error"]
        assert reply["error"]["message"] == wanted.get("body_message", wanted["message"])
        assert reply["error"]["data"]["http_status"] == EXCHANGES[id_]["status"]
        assert reply["error"]["data"]["attempts"][-1]["outcome"] == "error"
        assert reply["error"]["data"].get("provider_request_id") == request_id(EXCHANGES[id_])


@pytest.mark.parametrize("id_", representative(CUT).values())
def test_a_stream_cut_short_ends_with_what_came_of_it(host: Host, server: upstream.Server, id_: str) -> None:
    whole = expected(id_)
    size = len(EXCHANGES[id_]["response_body"].encode())
    outcomes = set()
    for cut in (*range(0, size, 37), size):
        reply, deltas = ask(host, server, id_, f"{WHOLE}/{cut}")
        if "result" in reply:
            result = reply["result"]
            outcomes.add("complete")
            assert result["finish_reason"]["reason"] == whole["reason"]
            got = read(result["message"], None, None)
            assert (got["text"], got["tool_calls"]) == (whole["text"], whole["tool_calls"])
        else:
            outcomes.add(reply["error"]["data"]["type"])
            partial = reply["error"]["data"].get("partial", {"content": []})["content"]
            assert joined(partial, "text") == joined(deltas, "text")
            assert whole["text"].startswith(joined(deltas, "text"))
            assert whole["reasoning"].startswith(joined(deltas, "reasoning"))
    assert outcomes == {"stream_interrupted", "complete"}

"""The dialect through the real process: what goes out, and answers that take several requests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import upstream
from generate_dialect import chunk
from host import Host, session

KEY = "AIza-test-1234567890"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with session(tmp_path) as host:
        yield host


def answered_by(host: Host, server: upstream.Server, model: str = "gemini-4-argon") -> None:
    config = {"provider": "google", "base_url": server.url, "model": model, "api_key": KEY}
    host.call("providers.set_active", {"config": config})


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\r\n\r\n"


async def in_two_pieces(exchange: upstream.Exchange) -> None:
    token = exchange.request.json().get("continuationToken")
    usage = {"promptTokenCount": 7, "candidatesTokenCount": 3}
    await exchange.start(200, upstream.EVENT_STREAM)
    if token is None:
        await exchange.send(event(chunk({"text": "One, "}, finish="CONTINUATION", usage=usage, continuationToken="t")))
    else:
        await exchange.send(event(chunk({"text": "two."}, finish="STOP", usage=usage)))
    await exchange.end()


def test_an_answer_in_two_requests_arrives_as_one(host: Host) -> None:
    with upstream.running(in_two_pieces) as server:
        answered_by(host, server)
        seen: list[Any] = []
        question = {"messages": [{"role": "user", "content": "count"}], "max_tokens": 100_000, "stream_id": "s"}
        result = host.reply(host.send("chat.stream", question), seen)["result"]
    deltas = [message["params"]["delta"] for message in seen if message["method"] == "stream.chunk"]
    assert "".join(delta["text"] for delta in deltas if delta["type"] == "text") == "One, two."
    assert result["message"]["content"] == [{"type": "text", "text": "One, two."}]
    assert result["finish_reason"] == {"reason": "stop", "raw": "STOP"}
    assert (result["usage"]["input_tokens"], result["usage"]["output_tokens"]) == (7, 6)
    first, second = server.requests
    assert first.path == second.path == "/v1beta/models/gemini-4-argon:streamGenerateContent?alt=sse"
    assert second.json() == first.json() | {"continuationToken": "t"}
    assert (first.headers["x-goog-api-key"], "authorization" in first.headers) == (KEY, False)


async def refusing_signatures(exchange: upstream.Exchange) -> None:
    if b'"foreign"' in exchange.request.body:
        error = {"code": 400, "message": "Corrupted thought signature.", "status": "INVALID_ARGUMENT"}
        await exchange.start(400, upstream.JSON)
        await exchange.send(json.dumps([{"error": error}]).encode())
    else:
        await exchange.start(200, upstream.EVENT_STREAM)
        await exchange.send(event(chunk({"text": "Fine."}, finish="STOP")))
    await exchange.end()


def test_a_refused_signature_is_left_out_the_second_time(host: Host) -> None:
    with upstream.running(refusing_signatures) as server:
        answered_by(host, server)
        origin = {"provider": "google", "endpoint": server.url, "model": "gemini-4-argon"}
        said = {"type": "text", "text": "Hm.", "opaque": {"data": '"foreign"', "origin": origin}}
        messages = [
            {"role": "user", "content": "?"},
            {"role": "assistant", "content": [said]},
            {"role": "user", "content": "!"},
        ]
        result = host.call("chat.complete", {"messages": messages})
    assert result["message"]["content"] == [{"type": "text", "text": "Fine."}]
    assert len(server.requests) == 2
    assert "thoughtSignature" in str(server.requests[0].json())
    assert "thoughtSignature" not in str(server.requests[1].json())


async def other_things(exchange: upstream.Exchange) -> None:
    path = exchange.request.path
    await exchange.start(200, upstream.JSON)
    if "batchEmbedContents" in path:
        await exchange.send(b'{"embeddings":[{"values":[1.0,2.0]}]}')
    elif "pageToken=next" in path:
        await exchange.send(b'{"models":[{"name":"models/b"}]}')
    else:
        await exchange.send(b'{"models":[{"name":"models/a"}],"nextPageToken":"next"}')
    await exchange.end()


def test_models_are_listed_to_the_last_page_and_texts_become_vectors(host: Host) -> None:
    with upstream.running(other_things) as server:
        answered_by(host, server)
        models = host.call("models.list", {})["models"]
        vectors = host.call("embeddings.create", {"input": ["a"], "model": "e"})["vectors"]
    assert [model["id"] for model in models][:2] == ["a", "b"]
    assert vectors == [[1.0, 2.0]]
    assert [request.path for request in server.requests] == [
        "/v1beta/models?pageSize=1000",
        "/v1beta/models?pageSize=1000&pageToken=next",
        "/v1beta/models/e:batchEmbedContents",
    ]

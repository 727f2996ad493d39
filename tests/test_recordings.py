"""Recorded answers through the real process: what a host reads is what the provider's own SDK read."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import upstream
from host import Host, session
from recorded import exchanges, expectation, expected, reading

from sidecar.schema.chat import FinishReason, Message
from sidecar.schema.usage import Usage

EXCHANGES = {exchange["id"]: exchange for exchange in exchanges("openai-chat")}
STREAMS = [id_ for id_, exchange in EXCHANGES.items() if exchange["sse"]]
OTHERS = [id_ for id_, exchange in EXCHANGES.items() if not exchange["sse"]]
WHOLE = 1 << 20
KINDS = {"openai-chat": "openai"} | {name: name for name in ("openrouter", "groq", "mistral", "deepseek")}
"""Which configuration asks for an exchange; `openai_compatible` for all others."""

CUT: dict[str, int] = {}
"""At which byte the exchange that is asked for breaks off."""


async def play(exchange: upstream.Exchange) -> None:
    """Answer with the recording that the path names, in pieces of the size that it names."""
    _, id_, size, *_ = exchange.request.path.split("/")
    recorded = EXCHANGES[id_]
    headers = {k: v for k, v in recorded["response_headers"].items() if k.lower() in {"content-type", "x-request-id"}}
    body = recorded["response_body"].encode()
    await exchange.start(recorded["status"], headers)
    for start in range(0, CUT.get(id_, len(body)), int(size)):
        await exchange.send(body[start : min(start + int(size), CUT.get(id_, len(body)))])
    if id_ in CUT:
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


def ask(host: Host, server: upstream.Server, id_: str, size: int) -> tuple[Any, list[Any]]:
    """Return the reply to a stream, and its chunks."""
    recorded = EXCHANGES[id_]
    kind = KINDS.get(recorded["provider"], "openai_compatible")
    config = {"provider": kind, "base_url": f"{server.url}/{id_}/{size}", "api_key": "sk-test-000000000000"}
    host.call("providers.set_active", {"config": config})
    seen: list[Any] = []
    params = {"model": recorded.get("model") or "m", "messages": [{"role": "user", "content": "?"}], "stream_id": id_}
    reply = host.reply(host.send("chat.stream", params), seen)
    chunks = [message["params"] for message in seen if message["method"] == "stream.chunk"]
    assert [chunk["seq"] for chunk in chunks] == list(range(len(chunks)))
    return reply, [chunk["delta"] for chunk in chunks]


def read(message: Any, finish: Any, usage: Any) -> dict[str, Any]:
    return reading(
        msgspec.convert(message, Message),
        msgspec.convert(finish, FinishReason) if finish else None,
        msgspec.convert(usage, Usage) if usage else None,
    )


def joined(deltas: list[Any], kind: str, field: str = "text") -> str:
    return "".join(delta.get(field, "") for delta in deltas if delta["type"] == kind)


@pytest.mark.parametrize("size", [WHOLE, 7, 1])
@pytest.mark.parametrize("id_", STREAMS)
def test_a_recorded_stream_arrives_as_the_sdk_read_it(host: Host, server: upstream.Server, id_: str, size: int) -> None:
    reply, deltas = ask(host, server, id_, size)
    wanted = expected(id_)
    if "error" in reply:
        data = reply["error"]["data"]
        assert reply["error"]["message"] == expectation(id_)["error"]["message"]
        got = read(data["partial"], None, None)
        wanted |= {"usage": None, "finish_reason": None}
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
    assert joined(deltas, "refusal") == wanted["refusal"]
    assert joined(deltas, "tool_call", "arguments") == "".join(call["arguments"] for call in wanted["tool_calls"])
    assert [delta["name"] for delta in deltas if "name" in delta] == [call["name"] for call in wanted["tool_calls"]]


@pytest.mark.parametrize("id_", OTHERS)
def test_a_recorded_answer_arrives_as_the_sdk_read_it(host: Host, server: upstream.Server, id_: str) -> None:
    reply, _ = ask(host, server, id_, WHOLE)
    if "result" in reply:
        result = reply["result"]
        assert read(result["message"], result["finish_reason"], result["usage"]) == expected(id_)
        assert result["usage"]["source"] == "reported"
    else:
        wanted = expectation(id_)["error"]
        assert reply["error"]["message"] == wanted["body_message"]
        assert reply["error"]["data"]["http_status"] == EXCHANGES[id_]["status"]
        assert reply["error"]["data"]["attempts"][0]["outcome"] == "error"


def test_a_stream_cut_short_ends_with_what_came_of_it(host: Host, server: upstream.Server) -> None:
    complete = [name for name in STREAMS if expected(name)["text"] and expectation(name)["error"] is None]
    id_ = next(name for name in complete if "[DONE]" in EXCHANGES[name]["response_body"])
    whole = expected(id_)["text"]
    size = len(EXCHANGES[id_]["response_body"].encode())
    outcomes = set()
    try:
        for cut in (*range(0, size, 61), size - 2):
            CUT[id_] = cut
            reply, deltas = ask(host, server, id_, WHOLE)
            if "result" in reply:
                outcomes.add("complete")
                assert joined(deltas, "text") == whole
            else:
                outcomes.add(reply["error"]["data"]["type"])
                partial = reply["error"]["data"].get("partial", {"content": []})["content"]
                assert joined(partial, "text") == joined(deltas, "text")
                assert whole.startswith(joined(deltas, "text"))
    finally:
        del CUT[id_]
    assert outcomes == {"stream_interrupted", "complete"}

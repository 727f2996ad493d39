"""Chats with a server on loopback, through the real process: cancelling, deadlines, keys, files, order."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import upstream
from host import Host, session

KEY = "sk-test-1234567890abcdef"
WORD = b'data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
SOON_S = 2.0
"""Far more than the tenth of a second that cancelling may take, for machines that are busy."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    with session(tmp_path, "--allow-path", str(allowed)) as host:
        yield host


def point(host: Host, server: upstream.Server, **settings: Any) -> None:
    """Make the server the active provider."""
    config = {"provider": "openai_compatible", "base_url": f"{server.url}/v1", "model": "m", "api_key": KEY, **settings}
    host.call("providers.set_active", {"config": config})


def question(**options: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "?"}], **options}


async def one_word_then_nothing(exchange: upstream.Exchange) -> None:
    await exchange.start(200, upstream.EVENT_STREAM)
    await exchange.send(WORD)
    await exchange.hang()


async def nothing(exchange: upstream.Exchange) -> None:
    await exchange.hang()


def wait_until_gone(server: upstream.Server) -> None:
    end = time.monotonic() + SOON_S
    while not server.gone.is_set():
        assert time.monotonic() < end, "the connection to the provider is still open"


@pytest.mark.parametrize("how", ["chat.cancel", "$/cancelRequest"])
@pytest.mark.parametrize("behaviour", [one_word_then_nothing, nothing])
def test_cancelling_answers_with_what_came_and_hangs_up_on_the_provider(
    host: Host, how: str, behaviour: upstream.Handler
) -> None:
    with upstream.running(behaviour) as server:
        point(host, server)
        id_ = host.send("chat.stream", question(stream_id="s"))
        while (message := host.receive())["method"] != "stream.chunk":
            if message["params"]["state"] == "waiting_first_token" and behaviour is nothing:
                break
        started = time.monotonic()
        if how == "chat.cancel":
            host.send(how, {"stream_id": "s"}, id_="cancel")
        else:
            host.write(json.dumps({"jsonrpc": "2.0", "method": how, "params": {"id": id_}}).encode() + b"\n")
        result = host.reply(id_)["result"]
        assert time.monotonic() - started < SOON_S
        assert result["finish_reason"] == {"reason": "cancelled", "raw": None}
        words = [] if behaviour is nothing else [{"type": "text", "text": "word "}]
        assert result["message"]["content"] == words
        assert result["usage"]["source"] == "estimated"
        assert [attempt["outcome"] for attempt in result["attempts"]] == ["cancelled"]
        if how == "chat.cancel":
            assert host.reply("cancel")["result"] == {"cancelled": True}
        wait_until_gone(server)


@pytest.mark.parametrize(
    ("behaviour", "timeouts", "stage"),
    [
        (nothing, {"first_token": 50}, "first_token"),
        (one_word_then_nothing, {"idle": 50}, "idle"),
        (one_word_then_nothing, {"total": 150}, "total"),
    ],
)
def test_a_deadline_ends_the_chat_and_hangs_up_on_the_provider(
    host: Host, behaviour: upstream.Handler, timeouts: dict[str, int], stage: str
) -> None:
    with upstream.running(behaviour) as server:
        point(host, server)
        data = host.fail("chat.complete", question(timeouts=timeouts))["data"]
        assert (data["type"], data["stage"], data["category"]) == ("timeout", stage, "network")
        if behaviour is one_word_then_nothing:
            assert data["partial"]["content"] == [{"type": "text", "text": "word "}]
        wait_until_gone(server)


def test_a_pipelined_session_needs_no_waiting(tmp_path: Path) -> None:
    with upstream.running(upstream.events(WORD, END)) as server, Host(tmp_path) as host:
        config = {"provider": "openai_compatible", "base_url": f"{server.url}/v1", "model": "m", "api_key": KEY}
        host.send("initialize", {"protocol_version": 1, "client_info": {"name": "t"}}, 1)
        host.send("providers.set_active", {"config": config}, 2)
        host.send("chat.stream", question(), 3)
        host.send("shutdown", {}, 4)
        seen: list[Any] = []
        host.reply(4, seen)
        assert [message["id"] for message in seen if "id" in message] == [1, 2, 3]
        assert host.wait() == 0


def test_the_key_is_sent_in_its_header_and_nowhere_else(host: Host) -> None:
    with upstream.running(upstream.events(WORD, END)) as server:
        point(host, server)
        seen: list[Any] = []
        reply = host.reply(host.send("chat.stream", question()), seen)
        (request,) = server.requests
        assert request.headers["authorization"] == f"Bearer {KEY}"
        sent = request.path + json.dumps(request.headers | {"authorization": ""}) + request.body.decode()
        told = json.dumps([seen, reply, host.call("providers.list"), host.call("providers.get_active")])
        assert KEY not in sent
        assert KEY not in told


def test_a_key_that_the_provider_echoes_is_shown_nowhere(tmp_path: Path) -> None:
    echo = upstream.answer({"error": {"message": f"no such key: {KEY}"}}, 500)
    with upstream.running(echo) as server, Host(tmp_path, "--log-level", "debug") as host:
        host.initialize()
        point(host, server)
        error = host.fail("chat.complete", question())
        assert host.end() == 0
        assert host.process.stderr
        log = host.process.stderr.read().decode()
        assert KEY not in log + json.dumps(error)


def test_a_file_named_by_its_path_is_sent_and_one_elsewhere_is_refused(host: Host, tmp_path: Path) -> None:
    (tmp_path / "allowed" / "dot.png").write_bytes(b"png")
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "allowed" / "link.png").symlink_to(tmp_path / "secret.png")

    def picture(path: Path) -> dict[str, Any]:
        file = {"type": "file", "media_type": "image/png", "source": {"type": "path", "path": str(path)}}
        return {"messages": [{"role": "user", "content": [{"type": "text", "text": "?"}, file]}]}

    with upstream.running(upstream.events(WORD, END)) as server:
        point(host, server)
        host.call("chat.complete", picture(tmp_path / "allowed" / "dot.png"))
        parts = server.requests[0].json()["messages"][0]["content"]
        assert parts[1]["image_url"]["url"] == "data:image/png;base64," + base64.b64encode(b"png").decode()
        for path in (
            tmp_path / "secret.png",
            tmp_path / "allowed" / "link.png",
            tmp_path / "allowed",
            Path("/dev/zero"),
        ):
            assert host.fail("chat.complete", picture(path))["data"]["type"] == "path_not_allowed"
        assert len(server.requests) == 1


def test_tools_travel_there_and_back(host: Host) -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":'}}
    more = {"index": 0, "function": {"arguments": '"Paris"}'}}
    asked = [{"choices": [{"index": 0, "delta": {"tool_calls": [part]}}]} for part in (call, more)]
    pieces = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in asked]
    end = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n'
    handler = upstream.in_turn(upstream.events(*pieces, end), upstream.events(WORD, END))
    with upstream.running(handler) as server:
        point(host, server)
        schema = {"type": "object", "properties": {"city": {"type": "string"}}}
        tools = [{"type": "function", "name": "weather", "input_schema": schema}]
        first = host.call("chat.complete", question(tools=tools))
        wanted = {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": '{"city":"Paris"}'}
        assert first["message"]["content"] == [wanted]
        assert first["finish_reason"] == {"reason": "tool_calls", "raw": "tool_calls"}
        result = {"role": "tool", "content": [{"type": "tool_result", "tool_call_id": "call_1", "content": "18 °C"}]}
        messages = [*question()["messages"], first["message"], result]
        second = host.call("chat.complete", {"messages": messages, "tools": tools})
        assert second["message"]["content"] == [{"type": "text", "text": "word "}]
        assert server.requests[1].json()["messages"][1:] == [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "18 °C"},
        ]

